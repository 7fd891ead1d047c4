import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { whyNoContainers } from '../containers/engine.ts'
import { findRedis } from './redis/redis.ts'
import { type Counts, none, readReport, shortcomingOf, sum, summarize } from './test/counts.ts'
import { type Command, type CommandEnd, runCommand } from './test/run-stage.ts'
import { chooseTestRedis } from './test/servers.ts'

/* `npm test`: everything that decides whether a change is good.
 * 1. Format and lint, then types. When one fails the run ends here.
 * 2. A Redis is found, and installed if need be, once and before any test waits for it.
 * 3. Unit and integration tests, schedules, end-to-end tests. A kind that fails does not keep the next from running.
 * 4. The images, run as docker-compose.yml says, where an engine answers and their bases are there.
 * 5. The model of the protocol, shortened, where Spin is there.
 * 6. A table, the names of the tests that failed, and as the last line `N passed, N failed`.
 * Ends with 1 when anything failed, took too long or was skipped, or when a kind had no tests; with 130 on Ctrl-C. */

const HELP = `npm test

Checks format, lint and types, runs the unit and integration tests, the schedules and the end-to-end tests on real Redis servers,
the images where a container engine answers, and checks the model of the protocol where Spin is there.

  TEST_REDIS=containers  Redis from Testcontainers
  TEST_REDIS=local       a Redis of this machine, installed if need be
  (unset)                Testcontainers when an engine answers and has the image, otherwise local
  SCHEDULES_SEED=n       plays the schedules of an earlier run again

One kind alone: npm run test:unit, npm run test:integration, npm run test:schedules, npm run test:e2e,
npm run test:containers
`

const LIMIT_MINUTES = 9
const LIMIT_MS = LIMIT_MINUTES * 60_000
const KINDS = ['unit', 'integration', 'schedules', 'e2e']
const CONTAINERS = 'containers'
const CHECKS: readonly { title: string; commands: readonly Command[] }[] = [
  { title: 'format and lint', commands: [['biome', 'ci', ...(process.stdout.isTTY ? [] : ['--colors=off']), '.']] },
  {
    title: 'types',
    commands: [
      ['turbo', 'run', 'types', '--output-logs=errors-only'],
      ['tsc', '--noEmit', '-p', 'tsconfig.json'],
    ],
  },
]

type Result = Ended & { title: string; ms: number }

async function runAll(signal: AbortSignal): Promise<Result[]> {
  const results: Result[] = []
  for (const { title, commands } of CHECKS) {
    const result = await timed(title, () => runCheck(commands, signal))
    results.push(result)
    if (result.problem !== undefined) return results
  }
  await announceRedis()
  for (const kind of KINDS) if (!signal.aborted) results.push(await timed(kind, () => runTests(kind, signal)))
  if (!signal.aborted) results.push(await timed(CONTAINERS, () => runContainers(signal)))
  if (!signal.aborted) results.push(await timed('model', () => runCheck([['model', '--short']], signal)))
  return results
}

type Ended = {
  counts: Counts
  failures?: readonly string[]
  problem: string | undefined
  /** Why it was not run, where that is no failure. */
  leftOut?: string
}

async function timed(title: string, run: () => Promise<Ended>): Promise<Result> {
  headline(title)
  const start = performance.now()
  const ended = await run()
  const ms = performance.now() - start
  const came = ended.problem ?? (ended.leftOut === undefined ? 'passed' : `left out: ${ended.leftOut}`)
  console.log(styleText(ended.problem ? 'red' : 'green', `${title}: ${came} (${seconds(ms)})`))
  return { title, ...ended, ms }
}

async function runCheck(commands: readonly Command[], signal: AbortSignal): Promise<Ended> {
  for (const command of commands) {
    const problem = problemOf(await runCommand(command, LIMIT_MS, signal))
    if (problem !== undefined) return { counts: { ...none, failed: 1 }, problem }
  }
  return { counts: none, problem: undefined }
}

async function runTests(kind: string, signal: AbortSignal): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'pay-test-'))
  const report = join(folder, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const end = await runCommand(['vitest', 'run', '--project', kind, ...reporters], LIMIT_MS, signal)
  const { counts, failures } = await readReport(report, end === 'passed')
  await rm(folder, { recursive: true })
  return { counts, failures, problem: problemOf(end) ?? shortcomingOf(counts) }
}

async function runContainers(signal: AbortSignal): Promise<Ended> {
  const leftOut = await whyNoContainers()
  return leftOut === undefined ? runTests(CONTAINERS, signal) : { counts: none, problem: undefined, leftOut }
}

function problemOf(end: CommandEnd): string | undefined {
  if (end === 'passed') return undefined
  return end === 'timed out' ? `stopped after ${LIMIT_MINUTES} minutes` : end
}

/** Without a Redis the tests that need one fail and say so; the others still run. */
async function announceRedis(): Promise<void> {
  headline('redis')
  try {
    console.log((await chooseTestRedis()) === 'containers' ? 'from Testcontainers' : await localRedis())
  } catch (error) {
    console.log(styleText('red', (error as Error).message))
  }
}

async function localRedis(): Promise<string> {
  const source = await findRedis()
  return source.from === 'machine' ? source.program : 'from the container engine'
}

function headline(title: string): void {
  console.log(`\n${styleText(['bold', 'inverse'], ` ${title} `)}`)
}

function printTable(results: readonly Result[]): void {
  const row = (cells: readonly string[]) => cells.map((cell, nth) => (nth === 0 ? cell.padEnd(16) : cell.padStart(9)))
  const print = (cells: readonly string[]) => console.log(row(cells).join(' '))
  headline('result')
  print(['', 'passed', 'failed', 'skipped', 'time'])
  for (const { title, counts, ms, problem, leftOut } of results) {
    const { passed, failed, skipped } = counts
    const isCounted = KINDS.includes(title) || (title === CONTAINERS && leftOut === undefined)
    const numbers = isCounted ? [passed, failed, skipped].map(String) : [problem || leftOut ? '' : 'ok', '', '']
    print([title, ...numbers, seconds(ms), problem ?? (leftOut ? `left out: ${leftOut}` : '')])
  }
  console.log()
  for (const { title, failures = [] } of results) {
    for (const failure of failures) console.log(styleText('red', `${title}: ${failure}`))
  }
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

async function main(): Promise<void> {
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupt.abort())
  const results = await runAll(interrupt.signal)
  printTable(results)
  console.log(summarize(sum(results.map(({ counts }) => counts))))
  const failed = results.some(({ problem }) => problem !== undefined)
  process.exitCode = interrupt.signal.aborted ? 130 : failed ? 1 : 0
}

if (process.argv.includes('--help')) process.stdout.write(HELP)
else await main()
