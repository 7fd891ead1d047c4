import { styleText } from 'node:util'
import { say } from '../process/say.ts'
import { startTestRedis } from '../test/servers.ts'
import { EQUIVALENTS } from './lua-equivalents.ts'
import { type LuaResult, runLuaMutants } from './lua-run.ts'

export type LuaOptions = { only: string | undefined; guards: boolean; concurrency: number; over: AbortSignal }

/** All mutants of the Lua scripts, or some of them, on Redis servers of their own. Answers whether each was found by a test or is
 * rightly listed as one that cannot be. */
export async function mutateLua({ only, guards, concurrency, over }: LuaOptions): Promise<boolean> {
  const [queue, ledger] = await Promise.all([startTestRedis({ kind: 'queue' }), startTestRedis({ kind: 'ledger' })])
  const isWanted = (script: string, kind: string) => (only ?? script) === script && (!guards || kind === 'guard')
  try {
    const results = await runLuaMutants({
      servers: { queueRedisUrl: queue.url, ledgerRedisUrl: ledger.url },
      isWanted,
      lanes: concurrency,
      over,
      onResult: showProgress,
    })
    const problems = [...problemsOf(results), ...(guards || only || over.aborted ? [] : goneFrom(results))]
    console.log(tableOf(results))
    for (const problem of problems) console.log(styleText('red', problem))
    return problems.length === 0
  } finally {
    await Promise.all([queue.stop(), ledger.stop()])
  }
}

function showProgress(result: LuaResult, done: number, all: number): void {
  for (const problem of problemsOf([result])) say(problem)
  if (done % 20 === 0 || done === all) say(`${done} of ${all}`)
}

/** Each mutant that is not as it should be. */
function problemsOf(results: readonly LuaResult[]): string[] {
  return results.flatMap(({ script, mutant: { line, from, to }, foundBy, why }) => {
    const place = `${script}.lua:${line}\n  ${from}\n  ${to}`
    if (foundBy === undefined) return why === undefined ? [`no test finds ${place}`] : []
    return why === undefined ? [] : [`listed as one that cannot be found, and found by ${foundBy}: ${place}`]
  })
}

/** What is listed, and is no mutant any more. */
function goneFrom(results: readonly LuaResult[]): string[] {
  const isThere = ({ script, from, to }: { script: string; from: string; to: string }) =>
    results.some((result) => result.script === script && result.mutant.from === from && result.mutant.to === to)
  return EQUIVALENTS.filter((each) => !isThere(each)).map(
    ({ script, from, to }) => `listed, but not there any more: ${script}.lua\n  ${from}\n  ${to}`,
  )
}

function tableOf(results: readonly LuaResult[]): string {
  const names = [...new Set(results.map(({ script }) => script))].sort()
  const of = (name: string) => results.filter(({ script }) => script === name)
  return [
    '| script | mutants | found | equivalent | survived |',
    '| --- | --- | --- | --- | --- |',
    ...names.map((name) => rowOf(`${name}.lua`, of(name))),
    rowOf('**all**', results),
  ].join('\n')
}

function rowOf(name: string, results: readonly LuaResult[]): string {
  const found = results.filter(({ foundBy }) => foundBy !== undefined).length
  const listed = results.filter(({ foundBy, why }) => foundBy === undefined && why !== undefined).length
  return `| ${name} | ${results.length} | ${found} | ${listed} | ${results.length - found - listed} |`
}
