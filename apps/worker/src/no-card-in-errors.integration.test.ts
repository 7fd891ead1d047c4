import { inspect } from 'node:util'
import { afterEach, expect, it, vi } from 'vitest'
import { createExchange } from './exchange.ts'
import { closeWires, http, tcp, whenClosing } from './testing-wire.ts'

/** An error can hold what was being done, and with it the card. Whatever fails, nothing of the request may leave the exchange. */

const CARD = '4111111111111111'
const FORM = `card_number=${CARD}&card_verification=7531&api_accesskey=sEcReT`

afterEach(closeWires)

/** All that can be reached from a value: also what is not enumerable, causes, symbols, and the errors of an AggregateError. */
function reachable(value: unknown, seen = new Set<unknown>()): Set<unknown> {
  if (seen.has(value)) return seen
  seen.add(value)
  if (typeof value !== 'object' || value === null) return seen
  for (const key of Reflect.ownKeys(value)) reachable(Reflect.get(value, key), seen.add(key))
  return seen
}

it.each<[string, () => Promise<string> | string]>([
  ['nobody listens', () => 'http://127.0.0.1:1'],
  ['the host is unknown', () => 'http://payconex.invalid'],
  ['the URL is none', () => 'http://'],
  ['the protocol is another', () => 'ftp://127.0.0.1'],
  ['the connection is reset', () => tcp((socket) => socket.on('data', () => socket.resetAndDestroy()))],
  ['it echoes the request and breaks off', () => tcp((socket) => socket.once('data', (bytes) => socket.end(bytes)))],
  ['it says nothing', () => tcp(() => undefined)],
  ['the handshake fails', async () => (await tcp((socket) => socket.end('no'))).replace('http:', 'https:')],
  ['the answer is too large', () => http((_, response) => response.end('x'.repeat(2 * 1024 * 1024)))],
  [
    'the answer is no gzip',
    () => http((_, response) => response.setHeader('content-encoding', 'gzip').end('this is plain text')),
  ],
])('when %s, what comes out of an exchange holds nothing of the request', async (_, serve) => {
  const printed = ['stdout', 'stderr'].map((name) => vi.spyOn(process[name as 'stdout'], 'write'))
  const { exchange, close } = createExchange({ connectTimeoutMs: 2000 })
  whenClosing(close)

  const outcome = await exchange({ url: await serve(), form: FORM, timeoutMs: 600 }).catch((error) => error)

  const all = [...reachable(outcome)].map(String).join('\n') + inspect(outcome, { showHidden: true, depth: 20 })
  const written = printed.flatMap((spy) => spy.mock.calls.map(([chunk]) => String(chunk))).join('')
  vi.restoreAllMocks()
  expect(outcome).toMatchObject({ kind: expect.stringMatching(/lost|unsent/), reason: expect.any(String) })
  expect(Object.keys(outcome)).not.toContain('config')
  for (const secret of [CARD, '7531', 'sEcReT']) expect(all + written).not.toContain(secret)
})
