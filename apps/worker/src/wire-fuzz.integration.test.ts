import { createServer, type Socket } from 'node:net'
import { Secret, type Transaction } from '@pay/mapper'
import { expect, it, onTestFinished } from 'vitest'
import { createRandom, type Random } from '../../../scripts/chaos/random.ts'
import { createExchange } from './exchange.ts'
import { createPayconex, type Submitted } from './payconex.ts'
import { closeWires, urlOf } from './testing-wire.ts'

/** Thousands of charges over real connections to a server that answers badly: what it says is broken below HTTP, comes in pieces,
 * too late, twice or not at all. `FUZZ_SEED=1234` runs a seed again. */

const CHARGES = 2400
const AT_ONCE = 12
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31))

const CARD = '4111111111111111'

const idOf = (charge: number) => String(100_000 + charge).padStart(12, '0')

const saleOf = (charge: number): Transaction => {
  const transaction_amount = `${charge + 1}.00`
  return {
    type: 'SALE',
    amount: transaction_amount,
    fields: { transaction_amount, card_number: new Secret(CARD), custom_id: `c${charge}` },
  }
}

/** The answer to one request, and the only one that is true. */
function truthOf(form: URLSearchParams): { body: string; isYes: boolean } {
  const id = form.get('transaction_id') as string
  const isYes = Number(id) % 3 !== 0
  const said = isYes
    ? {
        transaction_id: id,
        transaction_approved: true,
        transaction_amount: form.get('transaction_amount'),
        error: false,
      }
    : { transaction_id: id, transaction_approved: false, error: true, error_code: 30002, error_message: `No ${CARD}` }
  return { body: JSON.stringify(said), isYes }
}

const head = (more: string, status = '200 OK') => `HTTP/1.1 ${status}\r\n${more}\r\n`
const sized = (body: string, by = 0) => head(`Content-Length: ${body.length + by}\r\n`) + body
const chunked = (body: string, size = body.length.toString(16), end = '0\r\n\r\n') =>
  `${head('Transfer-Encoding: chunked\r\n')}${size}\r\n${body}\r\n${end}`

/** All places but those of the id: a refusal that lost it, and comes late, would be one of those without an id (below). */
const besidesId = (whole: string) => {
  const { index, 0: member } = /"transaction_id":"\d+"/.exec(whole) as RegExpExecArray
  return [...whole].map((_, at) => at).filter((at) => at < index || at >= index + member.length)
}

/** `after`: what becomes of the connection. */
type Answer = { bytes: string; after?: 'close' | 'reset' | { later: string } }
type Fault = (body: string, random: Random) => Answer

// The answer to another payment. (One without an id cannot be told from a true one: decision 15.)
const STALE =
  '{"transaction_id":"000000000001","transaction_approved":false,"error":true,"error_code":30002,"error_message":"Declined"}'

const FAULTS: readonly Fault[] = [
  (body) => ({ bytes: sized(body) }),
  (body) => ({ bytes: sized(body) }),
  (body) => ({ bytes: chunked(body) }),
  (body) => ({ bytes: head('Connection: close\r\n') + body, after: 'close' }),
  (body) => ({ bytes: sized(body, 5), after: 'close' }),
  (body) => ({ bytes: sized(body, -5) }),
  (body, random) => ({
    bytes: sized(body).slice(0, random.whole(0, sized(body).length)),
    after: random.pick(['close', 'reset']),
  }),
  (body) => ({ bytes: chunked(body, 'zz') }),
  (body) => ({ bytes: chunked(body, 'ffffffffffffffffff') }),
  (body) => ({ bytes: chunked(body, '5') }),
  (body) => ({ bytes: chunked(body, undefined, '0\r\nX-Trailer: 1\r\n\r\n') }),
  (body) => ({ bytes: chunked(body, undefined, '0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n') }),
  (body) => ({ bytes: `${head(`Content-Length: ${body.length}\r\nContent-Length: 3\r\n`)}${body}` }),
  (body) => ({ bytes: `${head('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n')}${body}` }),
  (body) => ({ bytes: `${head(`Content-Length : ${body.length}\r\nX\0Y: 1\r\n`)}${body}` }),
  (body) => ({ bytes: `${head('', '100 Continue')}${head('Link: x\r\n', '103 Early Hints')}${sized(body)}` }),
  (body) => ({ bytes: `${head('Upgrade: h2c\r\nConnection: Upgrade\r\n', '101 Switching Protocols')}${body}` }),
  (body) => ({ bytes: `${head(`Content-Length: ${body.length}\r\n`, '204 No Content')}${body}` }),
  (body) => ({ bytes: `${head(`Content-Length: ${body.length}\r\n`, '304 Not Modified')}${body}` }),
  (body) => ({
    bytes: `${head(`Content-Length: ${body.length}\r\nLocation: /elsewhere\r\n`, '307 Temporary Redirect')}${body}`,
  }),
  (body) => ({ bytes: `${head(`Content-Length: ${body.length}\r\nContent-Encoding: gzip\r\n`)}${body}` }),
  (body) => ({ bytes: `${sized(body)}${sized(STALE)}` }),
  (body) => ({ bytes: `${sized(body)}garbage` }),
  (body) => ({ bytes: sized(body), after: { later: sized(STALE) } }),
  (body) => ({ bytes: sized(body), after: { later: sized(STALE).slice(0, 20) } }),
  (body) => ({ bytes: body }),
  (body, random) => {
    const whole = sized(body)
    const at = random.pick(besidesId(whole))
    return { bytes: whole.slice(0, at) + String.fromCharCode(random.whole(0, 255)) + whole.slice(at + 1) }
  },
  () => ({ bytes: '' }),
  () => ({ bytes: '', after: 'reset' }),
]

/** Reads whole requests off a connection, and answers each by a fault. */
function misbehave(random: Random, truths: Map<string, boolean>) {
  return (socket: Socket) => {
    let heard = ''
    socket.on('error', () => undefined)
    socket.on('data', (more) => {
      heard += more.toString('latin1')
      const length = Number(/content-length: (\d+)/i.exec(heard)?.[1] ?? Number.NaN)
      const start = heard.indexOf('\r\n\r\n') + 4
      if (start < 4 || heard.length < start + length) return
      const form = new URLSearchParams(heard.slice(start, start + length))
      heard = heard.slice(start + length)
      const { body, isYes } = truthOf(form)
      truths.set(form.get('transaction_id') as string, isYes)
      const { bytes, after } = random.pick(FAULTS)(body, random)
      socket.write(bytes, 'latin1')
      if (after === 'close') socket.end()
      else if (after === 'reset') socket.resetAndDestroy()
      else if (after) setImmediate(() => socket.write(after.later))
    })
  }
}

it(`whatever happens to an answer on its way, it is read rightly or not at all (${CHARGES} charges, seed ${seed})`, async () => {
  const random = createRandom(seed)
  const truths = new Map<string, boolean>()
  const open = new Set<Socket>()
  let connections = 0
  const server = createServer(misbehave(random, truths))
  server.on('connection', (socket) => {
    connections += 1
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  const url = await urlOf(server)
  onTestFinished(closeWires)
  const { exchange, close } = createExchange({ connectTimeoutMs: 5000 })
  const payconex = createPayconex({ url, exchange, timeoutMs: 150, questionTimeoutMs: 150 })
  const seen = new Map<string, number>()
  const wrong: string[] = []

  function check(charge: number, said: Submitted): void {
    seen.set(said.kind, (seen.get(said.kind) ?? 0) + 1)
    const truth = truths.get(idOf(charge))
    if (said.kind === 'approved' && !(truth === true && said.transactionId === idOf(charge)))
      wrong.push(`${charge} approved`)
    if (said.kind === 'declined' && truth !== false) wrong.push(`${charge} declined`)
    if (said.kind === 'unsent' && truth !== undefined) wrong.push(`${charge} unsent`)
    if (/4111|\d{7}/.test(JSON.stringify({ ...said, transactionId: '' }))) wrong.push(`${charge} gives a card away`)
  }

  let next = 0
  async function chargeOn(): Promise<void> {
    while (next < CHARGES) {
      const charge = next++
      check(charge, await payconex.submit(saleOf(charge), { reservedId: idOf(charge) }))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, chargeOn))

  process.stdout.write(
    `${CHARGES} charges of seed ${seed}: ${JSON.stringify({ ...Object.fromEntries(seen), connections })}\n`,
  )
  expect(wrong, `seed ${seed}`).toEqual([])
  expect(seen.get('approved')).toBeGreaterThan(200)
  expect(seen.get('declined')).toBeGreaterThan(100)
  expect(open.size).toBeLessThanOrEqual(AT_ONCE)
  close()
  await expect.poll(() => open.size).toBe(0)
}, 60_000)
