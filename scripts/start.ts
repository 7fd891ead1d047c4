import { parseArgs, styleText } from 'node:util'
import { onSignals } from '@pay/service'
import type { Child } from './process/child.ts'
import { say } from './process/say.ts'
import type { Environment } from './stack/service.ts'
import type { Stack } from './stack/stack.ts'
import { toHumanLine } from './start/log-line.ts'
import { sendSample } from './start/sample.ts'
import { showStack } from './start/show-stack.ts'
import { startUsualStack } from './start/start-stack.ts'

/* `npm start`: the whole connector on this machine, and a first payment through it.
 * 1. Starts two Redis servers, the simulator, a gateway and two workers; says where everything listens.
 * 2. Sends a sample charge as Twilio would, and shows its answer. With `--once` that is all: exit code 0 if it was approved.
 *    A real PayConex gets no sample.
 * 3. Serves until Ctrl-C or SIGTERM, then drains and ends with 0; a second signal ends at once with 1.
 * When the gateway ends by itself, so do we, with 1. A worker may be killed for a trial. */

const HELP = `npm start [-- options]

Runs the whole connector on this machine, sends a sample charge and serves until Ctrl-C.

  --once     end after the sample charge; exit code 0 only if it was approved
  --verbose  show the services' logs as they are

Environment: PORT (8080), OPS_PORT (9090), QUEUE_REDIS_URL, LEDGER_REDIS_URL, PAYCONEX_URL, and whatever gateway and
worker understand (README.md). Without Redis URLs two servers are started, without PAYCONEX_URL the simulator.
`

const DRAIN_LIMIT_MS = 60_000
const INTERRUPTED = 130

async function main(args: string[]): Promise<void> {
  const { once, verbose, help } = readFlags(args)
  if (help) return void process.stdout.write(HELP)
  const env = givenEnvironment()
  if (once && env.PAYCONEX_URL) throw new Error('--once sends a sample charge: leave PAYCONEX_URL unset for it')
  let end: End = () => process.exit(INTERRUPTED)
  onSignals(() => end(0))
  say('starting ...')
  const stack = await startUsualStack({ env, onLog: verbose ? showRaw : showShort })
  end = endOf(stack)
  reportLosses(stack, () => end(1))
  console.log(`\n${styleText('bold', 'The connector is up.')}\n\n${showStack(stack)}\n`)
  const approved = env.PAYCONEX_URL ? explainNoSample() : await sendSample(stack)
  if (once) end(approved ? 0 : 1)
  else console.log('Another one: npm run call -- --amount 12.50     Stop: Ctrl-C\n')
}

function readFlags(args: string[]) {
  const off = { type: 'boolean', default: false } as const
  return parseArgs({ args, options: { once: off, verbose: off, help: off } }).values
}

/** An empty variable counts as not set, as it does for gateway and worker. */
function givenEnvironment(): Environment {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])))
}

const showRaw = (name: string, line: string) => console.log(`${name} | ${line}`)

const showShort = (name: string, line: string) => {
  const shown = toHumanLine(name, line)
  if (shown !== undefined) console.log(shown)
}

type End = (exitCode: number) => void

/** Drains the stack and ends the process, the first time it is called. */
function endOf(stack: Stack): End {
  let ending = false
  return (exitCode) => {
    if (ending) return
    ending = true
    say('stopping ...')
    stack.stop(DRAIN_LIMIT_MS).then(() => process.exit(exitCode), fail)
  }
}

/** Says when a process ends other than by draining. */
function reportLosses({ gateways, workers, simulator }: Stack, onGatewayLost: () => void): void {
  const report = async ({ name, exited }: Child, onLost?: () => void) => {
    const { code, signal } = await exited
    if (code === 0) return
    say(`${name} has ended (${signal ?? `exit code ${code}`})`)
    onLost?.()
  }
  for (const gateway of gateways) void report(gateway, onGatewayLost)
  for (const child of [...workers, ...(simulator ? [simulator] : [])]) void report(child)
}

function explainNoSample(): boolean {
  console.log(
    'PAYCONEX_URL is set, so no sample charge is sent. To send one: npm run call -- --user ... --password ...\n',
  )
  return false
}

function fail(error: unknown): never {
  say(styleText('red', error instanceof Error ? error.message : String(error), { stream: process.stderr }))
  process.exit(1)
}

await main(process.argv.slice(2)).catch(fail)
