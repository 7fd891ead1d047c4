import { Agent, type IncomingHttpHeaders, type RequestOptions, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { PaymentRecord } from '@pay/ledger'
import { type Log, type LogFields, noTraces, type TrustProxy } from '@pay/service'
import visaCharge from '../../../examples/charge-card.json' with { type: 'json' }
import legacyCharge from '../../../examples/charge-legacy.json' with { type: 'json' }
import visaToken from '../../../examples/tokenize-card.json' with { type: 'json' }
import { createApp, ENDPOINT } from './app.ts'
import { createDoor, type DoorOptions } from './door.ts'
import { createGuesses } from './guesses.ts'
import { createMetrics } from './metrics.ts'
import { watchMisuse } from './misuse.ts'
import type { Pay, Try } from './pay.ts'

/** Support for this folder's tests. */

export { legacyCharge, visaCharge, visaToken }

export const ACCOUNT = '120615000001'
export const ACCESS_KEY = '0123456789abcdef0123456789abcdef'
export const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** A payment as the ledger knows it, accepted a moment ago unless the test says otherwise. */
export const recordOf = (changes: Partial<PaymentRecord> = {}): PaymentRecord => ({
  key: 'p_1',
  state: 'accepted',
  attempt: 1,
  fingerprint: '1.a',
  now: 1000,
  first: 1000,
  asked: 0,
  reversals: 0,
  method: 'charge',
  account: ACCOUNT,
  custom_id: 'tx-1',
  ...changes,
})

export type Line = { level: string; fields: LogFields; message: string }

/** A log that remembers. */
export function recordingLog() {
  const lines: Line[] = []
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, fields, message })
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { log, lines }
}

export type Question = {
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array | undefined
}

export type Answer = { status: number; headers: IncomingHttpHeaders; text: string; json: Record<string, unknown> }

export type Door = {
  server: Server
  port: number
  /** Asks as Twilio would, except for what the question says otherwise. Rejects when the connection ends without an answer. */
  ask: (question?: Question) => Promise<Answer>
  /** Writes bytes to a connection of its own and gives all that comes back until the server closes it, or falls silent. */
  write: (...chunks: readonly string[]) => Promise<string>
  /** What `pay` was called with. */
  tries: Try[]
  lines: Line[]
}

export type AppOptions = {
  pay?: Pay
  allowedAccounts?: readonly string[]
  trustProxy?: TrustProxy
  badCredentials?: number
} & Partial<Pick<DoorOptions, 'limits' | 'certificate' | 'maxConnections'>>

/** Nobody is suspected. */
export const noMisuse = () =>
  watchMisuse(
    {
      badCredentials: { limit: 0, windowMs: 1000 },
      cardTesting: { declines: 0, approvedPercent: 0, windowMs: 1000 },
    },
    () => 0,
  ).misuse

const SILENCE_MS = 150

/** The app behind a real socket, with a `pay` that approves whatever it gets unless the test has its own. */
export async function withApp(use: (door: Door) => Promise<void>, options: AppOptions = {}): Promise<void> {
  const { pay = async () => ({ kind: 'approved', transactionId: '000000012345' }), allowedAccounts = [] } = options
  const { log, lines } = recordingLog()
  const tries: Try[] = []
  const recording: Pay = (theTry) => {
    tries.push(theTry)
    return pay(theTry)
  }
  const metrics = createMetrics(() => 0)
  const { limits, certificate, maxConnections = 10_000, trustProxy, badCredentials = 0 } = options
  const guesses = createGuesses({ limit: badCredentials, windowMs: 600_000, now: () => performance.now() })
  const isLeaving = () => false
  const app = createApp({
    pay: recording,
    allowedAccounts,
    currencies: ['USD'],
    trustProxy,
    guesses,
    isLeaving,
    metrics,
    traces: noTraces,
    log,
  })
  const server = createDoor({
    app,
    metrics,
    maxConnections,
    ...(limits && { limits }),
    ...(certificate && { certificate }),
  })
  server.listen(0, '127.0.0.1')
  const agent = new Agent({ keepAlive: true })
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  try {
    await use({ server, port, ask: (question) => ask({ port, agent }, question), write: write(port), tries, lines })
  } finally {
    agent.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

function ask(where: RequestOptions, question: Question = {}): Promise<Answer> {
  const { path = ENDPOINT, method = 'POST', headers = {}, body } = question
  const authorized = { authorization: basic(ACCOUNT, ACCESS_KEY), ...headers }
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', ...where, path, method, headers: authorized }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const json = method === 'HEAD' ? {} : JSON.parse(text)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

const write =
  (port: number) =>
  (...chunks: readonly string[]): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      let heard = ''
      const done = () => {
        socket.destroy()
        resolve(heard)
      }
      socket.on('data', (chunk) => {
        heard += chunk
      })
      socket.on('close', done)
      socket.on('error', done)
      socket.setTimeout(SILENCE_MS, done)
      for (const chunk of chunks) socket.write(chunk)
    })
