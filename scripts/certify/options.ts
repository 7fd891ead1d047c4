import { parseArgs } from 'node:util'
import { Secret } from '@pay/mapper'
import { readEnvironment, sharedVariables, workerVariables as worker } from '@pay/service'
import { z } from 'zod'

export const HELP = `npm run certify -- [options]

Asks PayConex what the promises of this service rest on, with a test account and test cards: makes a few sales of a dollar or two,
stores a card, reverses a sale. Takes some ten seconds. Prints which promises hold for this account and which settings
follow.

Environment (each also as NAME_FILE=/path)
  PAYCONEX_URL          https://cert.payconex.net, or the simulator's address; no other, because money would move
  PAYCONEX_ACCOUNT_ID   the account, twelve digits
  PAYCONEX_ACCESS_KEY   its API access key
  CA_FILE, PAYCONEX_PROXY_URL   as for the worker

Options
  --card 4111111111111111   the test card that this account's processor approves
  --expiry 1230             MMYY
  --json                    print the result as JSON

Try it with the simulator: npm run simulator, then in another terminal

  PAYCONEX_URL=http://127.0.0.1:8090 PAYCONEX_ACCOUNT_ID=120615000000 \\
  PAYCONEX_ACCESS_KEY=simulator0access0key000000000000 npm run certify

Exit code: 0 every promise holds, 1 one does not, 2 something could not be found out, or wrong usage.
`

const CERTIFICATION = 'cert.payconex.net'

const variables = z.object({
  PAYCONEX_URL: sharedVariables.PAYCONEX_URL.refine(isForTests, {
    message: `must be https://${CERTIFICATION} or on this machine: sales are made`,
  }),
  PAYCONEX_ACCOUNT_ID: z.string().regex(/^\d{12}$/, { error: () => 'must be twelve digits' }),
  PAYCONEX_ACCESS_KEY: z.string().transform((text) => new Secret(text)),
  PAYCONEX_PROXY_URL: worker.shape.PAYCONEX_PROXY_URL,
  CA_FILE: sharedVariables.CA_FILE,
})

export type CertifyOptions = Exclude<ReturnType<typeof readCertifyOptions>, 'help'>

/** Flags and environment as one object; throws with a message that says what is wrong, without a value. */
export function readCertifyOptions(args: readonly string[], env: NodeJS.ProcessEnv) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      card: { type: 'string', default: '4111111111111111' },
      expiry: { type: 'string', default: '1230' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  if (!/^\d{13,19}$/.test(values.card)) throw new TypeError('--card must be 13 to 19 digits')
  if (!/^\d{4}$/.test(values.expiry)) throw new TypeError('--expiry must be MMYY')
  const { PAYCONEX_URL, PAYCONEX_ACCOUNT_ID, PAYCONEX_ACCESS_KEY, PAYCONEX_PROXY_URL, CA_FILE } = readEnvironment(
    variables,
    env,
  )
  return {
    url: PAYCONEX_URL,
    credentials: { accountId: PAYCONEX_ACCOUNT_ID, accessKey: PAYCONEX_ACCESS_KEY },
    proxyUrl: PAYCONEX_PROXY_URL,
    caFile: CA_FILE,
    card: new Secret(values.card),
    expiry: new Secret(values.expiry),
    json: values.json,
  }
}

function isForTests(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === CERTIFICATION || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}
