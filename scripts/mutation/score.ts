/** What is read of Stryker's report (mutation-testing-report-schema). */
export type Report = { files: Record<string, { mutants: readonly { status: string }[] }> }

export type Score = { file: string; mutants: number; killed: number; survived: number }

/** Of each file how many mutants a test noticed, and how many none did, whether or not one ran them. What is no valid program is
 * left out. */
export function scoresOf({ files }: Report): Score[] {
  return Object.entries(files)
    .map(([file, { mutants }]) => {
      const count = (...statuses: string[]) => mutants.filter(({ status }) => statuses.includes(status)).length
      const killed = count('Killed', 'Timeout')
      const survived = count('Survived', 'NoCoverage')
      return { file, mutants: killed + survived, killed, survived }
    })
    .filter(({ mutants }) => mutants > 0)
    .sort((one, other) => one.file.localeCompare(other.file))
}

export function tableOf(scores: readonly Score[]): string {
  const sum = (of: 'mutants' | 'killed' | 'survived') => scores.reduce((total, score) => total + score[of], 0)
  const all = { file: '**all**', mutants: sum('mutants'), killed: sum('killed'), survived: sum('survived') }
  const rows = [...scores, all].map(
    ({ file, mutants, killed, survived }) =>
      `| ${file} | ${mutants} | ${killed} | ${survived} | ${((100 * killed) / Math.max(1, mutants)).toFixed(1)} |`,
  )
  return ['| file | mutants | found | survived | score |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}
