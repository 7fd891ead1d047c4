/** A line of CHANGELOG.md: what was noted, as it was noted. */
export const getReleaseLine = async ({ summary }: { summary: string }) => {
  const [first, ...more] = summary.trim().split('\n')
  return [`- ${first}`, ...more.map((line) => (line === '' ? '' : `  ${line}`))].join('\n')
}

/** Nothing here depends on something else with a version of its own. */
export const getDependencyReleaseLine = async () => ''

export default { getReleaseLine, getDependencyReleaseLine }
