import { say } from './process/say.ts'
import { createFiles } from './scan/files.ts'
import { together } from './scan/finder.ts'
import { createGiven } from './scan/given.ts'
import { HELP, readOptions, type ScanOptions } from './scan/options.ts'
import { reasonOf } from './scan/reason.ts'
import { lookAtRedis } from './scan/redis.ts'
import { createReport, exitCodeOf, linesOf, type Report, type Result } from './scan/report.ts'
import { createShapes } from './scan/shapes.ts'

/* `npm run scan`: is there a card anywhere?
 * 1. Reads the options, and what to look for.
 * 2. Looks through the servers, then through the paths.
 * 3. Says where something lies, never what. Ends with 0 (clean), 1 (found) or 2 (not everything was looked at). */

const UNUSABLE = 2
const PROGRESS_MS = 2_000

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args, process.env)
  if (options === 'help') return print(HELP)
  const result = await scan(options)
  print(options.json ? `${JSON.stringify(result)}\n` : `${linesOf(result).join('\n')}\n`)
  return exitCodeOf(result)
}

async function scan({ values, everyRun, redis, paths, memoryOnly, caFile }: ScanOptions): Promise<Result> {
  const shapes = createShapes({ everyRun })
  const given = values.length > 0 ? createGiven(values) : undefined
  const report = createReport(given ? together([given, shapes]) : shapes)
  const find = given ?? shapes
  const files = createFiles({ find, report })
  const stop = process.stderr.isTTY ? showProgress(report) : () => undefined
  for (const url of redis) await lookAtRedis(url, { find, report, files, memoryOnly, caFile })
  for (const path of paths) await files.look(path)
  stop()
  return report.result()
}

function showProgress(report: Report): () => void {
  const timer = setInterval(() => {
    const { looked, found } = report.result()
    say(`${looked.keys} keys, ${looked.files} files, ${Math.round(looked.bytes / 1e6)} MB; found in ${found} places`)
  }, PROGRESS_MS)
  return () => clearInterval(timer)
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

/** What was typed in the wrong place may be a card. */
function fail(error: unknown): number {
  const { name } = createReport(createShapes({ everyRun: true }))
  say(error instanceof TypeError ? `${name(error.message)}\nSee: npm run scan -- --help` : reasonOf(error))
  return UNUSABLE
}

process.exitCode = await main(process.argv.slice(2)).catch(fail)
