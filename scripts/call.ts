import { realpathSync } from 'node:fs'
import { bodyFrom, endpointFor } from './call/body.ts'
import { type Flags, HELP, readFlags } from './call/options.ts'
import { toPayAction } from './call/pay-action.ts'
import { type CallOptions, type CallResult, call } from './call/play-twilio.ts'
import { showAnswer, showNoAnswer, showRequest, showTry } from './call/show-call.ts'
import { say } from './process/say.ts'

export { type Answered, type Body, type CallOptions, type CallResult, call, type Try } from './call/play-twilio.ts'

/* `npm run call`: one payment from the command line, as Twilio would send it.
 * 1. Reads the flags and makes the request of them; what cannot be read ends with 2 and a hint.
 * 2. Calls, showing each try as it ends.
 * 3. Shows what Twilio makes of the answer. Ends with 0 (paid or stored), 1 (refused) or 2 (no answer). */

async function main(args: readonly string[]): Promise<number> {
  const flags = readFlags(args)
  if (flags.help) return print(HELP, 0)
  const body = await bodyFrom(flags)
  const url = endpointFor(flags.url, body)
  const { user, password, tries, tryTimeoutMs } = flags
  const request: CallOptions = { url, body, credentials: { user, password }, tries, tryTimeoutMs }
  if (flags['no-content-type']) request.contentType = ''
  return flags.json ? callForMachines(request) : callForPeople(request, flags)
}

async function callForPeople(request: CallOptions, { user }: Flags): Promise<number> {
  const { url, body } = request
  console.log(`${showRequest({ url, user, body })}\n`)
  const result = await call({ ...request, onTry: (attempt, number) => console.log(showTry(attempt, number)) })
  const end = result.answer ? showAnswer(result.answer) : showNoAnswer(result.tries, url)
  return print(`\n${end}\n`, exitCodeOf(result))
}

async function callForMachines(request: CallOptions): Promise<number> {
  const result = await call(request)
  const { transaction_id } = request.body
  const { tries, answer } = result
  const action = answer && toPayAction(answer)
  return print(`${JSON.stringify({ transaction_id, tries, action }, undefined, 2)}\n`, exitCodeOf(result))
}

function exitCodeOf({ answer }: CallResult): number {
  if (answer === undefined) return 2
  return toPayAction(answer).Result === 'success' ? 0 : 1
}

function print(text: string, exitCode: number): number {
  process.stdout.write(text)
  return exitCode
}

function explain(error: unknown): number {
  say(`${error instanceof Error ? error.message : String(error)}\nSee: npm run call -- --help`)
  return 2
}

const [, started] = process.argv
if (started !== undefined && realpathSync(started) === import.meta.filename) {
  process.exitCode = await main(process.argv.slice(2)).catch(explain)
}
