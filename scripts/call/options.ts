import { parseArgs } from 'node:util'
import { BRIDGE_PATH } from '../stack/fleet.ts'
import { TRIES, TRY_TIMEOUT_MS } from './play-twilio.ts'

const DEFAULT_URL = `http://127.0.0.1:8080${BRIDGE_PATH}`

export const HELP = `npm run call -- [options]

Plays Twilio: sends one payment and repeats it on silence, with the same transaction_id.

What is sent (default: the request in examples/ for a card, with a fresh transaction_id)
  --amount 12.50           --currency USD           --description "Invoice 7"
  --card 4111111111111111  --expiry 08/27           --cvv 123           --zip 94111
  --bank [account]         --routing 244183602      from a bank account instead of a card
  --tokenize               store it instead of charging it
  --parameter name=value   one of <Pay>'s parameters; repeat it for more
  --id <transaction_id>    this one instead of a fresh one: twice the same is a repeat
  --example file.json      this request instead

How it is sent
  --url ${DEFAULT_URL}
  --user, --password       PayConex account id and API access key (default: a test account of the simulator)
  --tries ${TRIES}                --try-timeout ${TRY_TIMEOUT_MS}      in all; each in milliseconds
  --no-content-type        leave Content-Type empty, as Twilio's older connectors do
  --json                   print the result as JSON

Exit code: 0 paid or stored, 1 refused, 2 no answer or wrong usage.
`

/** What the simulator takes: any account of 12 digits and key of 32 characters. Worth nothing at Bluefin. */
export const testAccount = { user: '120615000000', password: 'simulator0access0key000000000000' }

const options = {
  amount: { type: 'string' },
  currency: { type: 'string' },
  description: { type: 'string' },
  card: { type: 'string' },
  expiry: { type: 'string' },
  cvv: { type: 'string' },
  zip: { type: 'string' },
  bank: { type: 'string' },
  routing: { type: 'string' },
  tokenize: { type: 'boolean', default: false },
  parameter: { type: 'string', multiple: true },
  id: { type: 'string' },
  example: { type: 'string' },
  url: { type: 'string', default: DEFAULT_URL },
  user: { type: 'string', default: testAccount.user },
  password: { type: 'string', default: testAccount.password },
  tries: { type: 'string', default: String(TRIES) },
  'try-timeout': { type: 'string', default: String(TRY_TIMEOUT_MS) },
  'no-content-type': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

export type Flags = ReturnType<typeof readFlags>

/** The command line as an object. Throws a `TypeError` whose message says what is wrong with it. */
export function readFlags(args: readonly string[]) {
  const { values } = parseArgs({ args: withBank(args), options })
  return {
    ...values,
    url: webAddress(values.url),
    tries: positive('--tries', values.tries),
    tryTimeoutMs: positive('--try-timeout', values['try-timeout']),
  }
}

/** `--bank` alone means the account of the example, which `--bank=` says in a way that parseArgs understands. */
function withBank(args: readonly string[]): string[] {
  const isAlone = (arg: string, at: number) => arg === '--bank' && (args[at + 1] ?? '-').startsWith('-')
  return args.map((arg, at) => (isAlone(arg, at) ? '--bank=' : arg))
}

function positive(name: string, value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new TypeError(`${name} must be a whole number above 0`)
  return Number(value)
}

function webAddress(url: string): string {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw new TypeError('--url must be an http or https address')
  return url
}
