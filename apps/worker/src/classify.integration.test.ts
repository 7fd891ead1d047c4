import type { OutgoingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TlsOptions } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { Secret, type Transaction } from '@pay/mapper'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createExchange } from './exchange.ts'
import { createPayconex, type Submitted } from './payconex.ts'
import { sale } from './testing.ts'
import {
  type Authority,
  type Behaviour,
  closeWires,
  createAuthority,
  deafPort,
  heardText,
  http,
  tcp,
  tls,
  type Wanted,
  whenClosing,
} from './testing-wire.ts'

/** What may be concluded from what becomes of a charge, seen on real sockets, through all of `exchange`, `classify` and
 * `interpretAnswer`:
 *
 *  NOT_SENT, again   provably nothing of it arrived, and another try may fare better
 *  NOT_SENT, alarm   provably nothing of it arrived, and another try would fare no better
 *  UNKNOWN           it may have been charged: it must be looked up
 *  DEFINITE yes, no  PayConex has said so
 *  REVIEW            PayConex has said yes to something else
 *
 * Not in the tables: EAI_AGAIN needs a resolver that is away, EHOSTUNREACH a router that says so; nothing here tells them from
 * ENOTFOUND and ENETUNREACH. HTTP/2 is not spoken.
 */
type Row = readonly [what: string, conclusion: string, reason: string | RegExp, arrange: () => Promise<Arranged>]

/** `before`: what the same client did first. */
type Arranged = { url: string } & More
type More = { connectTimeoutMs?: number; timeoutMs?: number; before?: 'a charge' | 'a charge and a rest' }

/** Where a limit of ours is to be reached; elsewhere it would only make a slow machine fail. */
const HASTY: More = { connectTimeoutMs: 300 }
const BRIEF: More = { timeoutMs: 300 }
const USED: More = { before: 'a charge' }
const IDLE: More = { before: 'a charge and a rest' }

const RESERVED = '000000012345'
const CARD = '4111111111111111'
const charge: Transaction = { ...sale, fields: { ...sale.fields, card_number: new Secret(CARD) } }

const approval = {
  transaction_id: RESERVED,
  transaction_approved: true,
  transaction_amount: 10,
  error: false,
  error_code: 0,
}
const YES = JSON.stringify(approval)
const FORM = `transaction_id=${RESERVED}&transaction_approved=1&transaction_amount=10.00&error=0&error_code=0`
const NO = JSON.stringify({ ...approval, transaction_approved: false, error: true, error_code: 30002 })
const INVALID = JSON.stringify({ error: true, error_code: 20019, error_message: 'Invalid bank_routing_number' })
const STALE = JSON.stringify({ ...approval, transaction_id: '000000099999' })
const PAGE = '<html><body>Request unsuccessful</body></html>'
const HUGE = 'x'.repeat(2 * 1024 * 1024)
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'
const NOWHERE = 'http://127.0.0.1:1/'

const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'

const STATUS = 'the HTTP status says nothing about the payment'
const UNREADABLE = 'the answer could not be read'
const NEITHER = 'the answer says neither yes nor no'
const BROKEN = 'ECONNRESET'

const EXPIRED: Wanted = { from: '2026-01-01', until: '2026-01-02' }
const TLS_1_2: TlsOptions = { maxVersion: 'TLSv1.2' }

let authority: Authority

beforeAll(async () => {
  authority = await createAuthority()
})

afterEach(closeWires)

describe('before a connection stands', () => {
  const rows: Row[] = [
    ['the host is unknown', 'NOT_SENT, again', /ENOTFOUND|EAI_AGAIN/, at('http://payconex.invalid')],
    ['nobody listens', 'NOT_SENT, again', 'ECONNREFUSED', at('http://127.0.0.1:1')],
    ['no network leads there', 'NOT_SENT, again', /E(NET|HOST)UNREACH/, at('http://255.255.255.255')],
    ['nobody takes the connection', 'NOT_SENT, again', 'connect timeout', on(deafPort, HASTY)],
    ['its handshake is not answered', 'NOT_SENT, again', 'connect timeout', onHandshake(say(), HASTY)],
    ['our time is up', 'NOT_SENT, again', 'timeout', onHandshake(say(), BRIEF)],
    ['its handshake is reset', 'NOT_SENT, again', 'ECONNRESET', onHandshake(reset)],
    ['its handshake is closed', 'NOT_SENT, again', 'ECONNRESET', onHandshake(close)],
    ['the other side speaks no TLS', 'NOT_SENT, again', /SSL|EPROTO/, onHandshake(say(PAGE))],
    ['there is no common TLS version', 'NOT_SENT, again', /SSL|EPROTO/, onTls({}, { maxVersion: 'TLSv1.1' })],
    ['the certificate has expired', 'NOT_SENT, alarm', 'CERT_HAS_EXPIRED', onTls(EXPIRED)],
    ['the certificate has expired, in TLS 1.2', 'NOT_SENT, alarm', 'CERT_HAS_EXPIRED', onTls(EXPIRED, TLS_1_2)],
    ['the certificate is not valid yet', 'NOT_SENT, alarm', 'CERT_NOT_YET_VALID', onTls({ from: '2125-01-01' })],
    ['the certificate is another host’s', 'NOT_SENT, alarm', 'ERR_TLS_CERT_ALTNAME', onTls({ ip: '127.0.0.9' })],
    ['nobody knows its authority', 'NOT_SENT, alarm', 'UNABLE_TO_VERIFY', onTls({ by: 'another authority' })],
  ]

  it.each(rows)('%s: %s', conclude)
})

describe('while the answer is awaited', () => {
  const rows: Row[] = [
    ['the connection is reset', 'UNKNOWN', 'ECONNRESET', onRequest(reset)],
    ['the connection is closed', 'UNKNOWN', 'ECONNRESET', onRequest(close)],
    ['the TLS connection breaks', 'UNKNOWN', 'ECONNRESET', onTlsRequest(cut)],
    ['a connection used before is reset', 'UNKNOWN', 'ECONNRESET', onRequest(approveOnce(reset), USED)],
    ['a connection used before is closed', 'UNKNOWN', 'ECONNRESET', onRequest(approveOnce(close), USED)],
    ['a TLS connection used before breaks', 'UNKNOWN', 'ECONNRESET', onTlsRequest(approveOnce(cut), USED)],
    ['nothing comes', 'UNKNOWN', 'timeout', onRequest(say(), BRIEF)],
    ['only its head comes', 'UNKNOWN', 'timeout', onRequest(say(HEAD), BRIEF)],
    ['only a part of it comes', 'UNKNOWN', 'timeout', onRequest(say(part(YES)), BRIEF)],
    ['it breaks off', 'UNKNOWN', BROKEN, onRequest(say(part(YES), close))],
    ['it breaks off between two chunks', 'UNKNOWN', BROKEN, onRequest(say(chunk(YES), close))],
    ['it is no HTTP', 'UNKNOWN', /^HPE_/, onRequest(say(YES))],
    ['it is larger than an answer can be', 'UNKNOWN', 'answer too large', answered(200, HUGE)],
    ['it unpacks to more than that', 'UNKNOWN', 'answer too large', packed(gzipSync(HUGE))],
    ['it unpacks to a part', 'UNKNOWN', 'Z_BUF_ERROR', packed(gzipSync(YES).subarray(0, -12))],
    ['it speaks another protocol now', 'UNKNOWN', 'ECONNRESET', onRequest(say(UPGRADE))],
    ['it cannot be unpacked', 'UNKNOWN', /^Z_/, packed(Buffer.from(YES))],
  ]

  it.each(rows)('%s: %s', conclude)
})

describe('the answer is', () => {
  const rows: Row[] = [
    ['an approval', 'DEFINITE yes', RESERVED, answered(200, YES)],
    ['an approval, over TLS', 'DEFINITE yes', RESERVED, onTlsRequest(approve)],
    ['an approval, packed', 'DEFINITE yes', RESERVED, packed(gzipSync(YES))],
    ['an approval, in pieces', 'DEFINITE yes', RESERVED, onRequest(inPieces)],
    ['an approval, as a form', 'DEFINITE yes', RESERVED, answered(200, FORM)],
    ['an approval, on a new connection', 'DEFINITE yes', RESERVED, onRequest(approveAndClose, IDLE)],
    ['an approval, after an earlier one came twice', 'DEFINITE yes', RESERVED, onRequest(approveTwice, IDLE)],
    ['a decline', 'DEFINITE no', '30002', answered(200, NO)],
    ['an error', 'DEFINITE no', '20019', answered(200, INVALID)],
    ...[400, 401, 403, 404, 405, 413, 415, 422].flatMap((status): Row[] => [
      [`${status} with PayConex’s error`, 'DEFINITE no', '20019', answered(status, INVALID)],
      [`${status} with a page`, 'UNKNOWN', UNREADABLE, answered(status, PAGE)],
      [`${status} with an approval`, 'UNKNOWN', STATUS, answered(status, YES)],
    ]),
    ...[408, 409, 425, 429, 500, 501, 502, 503, 504].flatMap((status): Row[] => [
      [`${status} with PayConex’s error`, 'UNKNOWN', STATUS, answered(status, INVALID)],
      [`${status} with a page and Retry-After`, 'UNKNOWN', UNREADABLE, answered(status, PAGE, { 'retry-after': '1' })],
    ]),
    ...[301, 302, 303, 307, 308].flatMap((status): Row[] => [
      [`${status}, which is not followed`, 'UNKNOWN', STATUS, answered(status, YES, { location: NOWHERE })],
    ]),
    ['a page of a firewall', 'UNKNOWN', UNREADABLE, answered(200, PAGE)],
    ['no JSON', 'UNKNOWN', UNREADABLE, answered(200, 'OK')],
    ['half of its JSON', 'UNKNOWN', UNREADABLE, answered(200, YES.slice(0, 60))],
    ['empty', 'UNKNOWN', UNREADABLE, answered(200, '')],
    ['204', 'UNKNOWN', UNREADABLE, answered(204, '')],
    ['silent about approval', 'UNKNOWN', NEITHER, saying({ transaction_approved: null })],
    ['not approved, without an error', 'UNKNOWN', NEITHER, saying({ transaction_approved: false })],
    ['approved, with an error', 'UNKNOWN', NEITHER, saying({ error: true })],
    ['approved without an id', 'UNKNOWN', 'without a transaction_id', saying({ transaction_id: null })],
    ['approved without an amount', 'UNKNOWN', 'without an amount', saying({ transaction_amount: null })],
    ['approved with another amount', 'REVIEW', 'another amount', saying({ transaction_amount: 5 })],
    ['approved under another id', 'REVIEW', 'another transaction_id', answered(200, STALE)],
  ]

  it.each(rows)('%s: %s', conclude)
})

it('a fresh connection that is reset at once counts as sent, unless it never stood', async () => {
  const url = await tcp(reset)
  const submit = client()

  const conclusions = await Promise.all(Array.from({ length: 20 }, async () => conclusionOf(await submit(url))))

  expect(['UNKNOWN', 'NOT_SENT, again']).toEqual(expect.arrayContaining(conclusions))
})

async function conclude(_what: string, conclusion: string, reason: string | RegExp, arrange: Row[3]): Promise<void> {
  const { url, before, ...limits } = await arrange()
  const submit = client(limits)
  if (before !== undefined) expect(conclusionOf(await submit(url))).toBe('DEFINITE yes')
  if (before === 'a charge and a rest') await sleep(100)

  const submitted = await submit(url)

  expect(conclusionOf(submitted)).toBe(conclusion)
  expect(reasonOf(submitted)).toMatch(reason)
  expect(JSON.stringify(submitted)).not.toContain(CARD)
  if (submitted.kind === 'unsent') expect(heardText()).not.toContain(CARD)
}

function client({ connectTimeoutMs = 3000, timeoutMs = 5000 }: More = {}) {
  const { exchange, close: end } = createExchange({ connectTimeoutMs, ca: authority.cert })
  whenClosing(end)
  return (url: string): Promise<Submitted> =>
    createPayconex({ url, exchange, timeoutMs, questionTimeoutMs: timeoutMs }).submit(charge, { reservedId: RESERVED })
}

function conclusionOf(submitted: Submitted): string {
  switch (submitted.kind) {
    case 'unsent':
      return submitted.retry ? 'NOT_SENT, again' : 'NOT_SENT, alarm'
    case 'unanswered':
      return 'UNKNOWN'
    case 'approved':
      return 'DEFINITE yes'
    case 'declined':
      return 'DEFINITE no'
    case 'contradiction':
      return 'REVIEW'
  }
}

function reasonOf(submitted: Submitted): string {
  if (submitted.kind === 'approved') return submitted.transactionId
  return submitted.kind === 'declined' ? submitted.code : submitted.reason
}

function at(url: string) {
  return async (): Promise<Arranged> => ({ url })
}

function on(serve: () => Promise<string>, more: More = {}) {
  return async (): Promise<Arranged> => ({ url: await serve(), ...more })
}

/** A TLS handshake is expected, and the other side does this instead. */
function onHandshake(behave: Behaviour, more?: More) {
  return on(() => tcp(behave, 'https'), more)
}

/** Behind this certificate everything would be approved. */
function onTls({ by, ...wanted }: Wanted & { by?: 'another authority' }, options: TlsOptions = {}) {
  return on(async () => {
    const issuer = by ? await createAuthority('Another authority') : authority
    return tls({ ...(await issuer.issue(wanted)), ...options }, onEach(approve))
  })
}

function onRequest(respond: Respond, more?: More) {
  return on(() => tcp(onEach(respond)), more)
}

function onTlsRequest(respond: Respond, more?: More) {
  return on(async () => tls(await authority.issue(), onEach(respond)), more)
}

/** `before`: how many requests this connection has carried already. */
type Respond = (socket: Socket, before: number) => void

function onEach(respond: Respond): Behaviour {
  return (socket) => {
    let requests = 0
    socket.on('data', () => respond(socket, requests++))
  }
}

function reset(socket: Socket): void {
  socket.resetAndDestroy()
}

function close(socket: Socket): void {
  socket.end()
}

function cut(socket: Socket): void {
  socket.destroy()
}

function say(text = '', then?: Behaviour): Behaviour {
  return (socket) => {
    socket.write(text)
    then?.(socket)
  }
}

function approve(socket: Socket): void {
  socket.write(whole(YES))
}

function inPieces(socket: Socket): void {
  for (const [at, byte] of [...whole(YES)].entries()) setTimeout(() => socket.write(byte), at / 4)
}

function approveOnce(then: Behaviour): Respond {
  return (socket, before) => (before === 0 ? approve(socket) : then(socket))
}

function approveAndClose(socket: Socket): void {
  socket.end(whole(YES))
}

function approveTwice(socket: Socket): void {
  approve(socket)
  setTimeout(() => socket.write(whole(STALE)), 30)
}

function whole(text: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`
}

function part(text: string): string {
  return whole(text).slice(0, -40)
}

/** The first of some chunks. */
function chunk(text: string): string {
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n`
}

function answered(status: number, body: string | Buffer, headers: OutgoingHttpHeaders = {}) {
  return on(() =>
    http((request, response) => {
      request.resume().on('end', () => response.writeHead(status, headers).end(body))
    }),
  )
}

function packed(body: Buffer) {
  return answered(200, body, { 'content-encoding': 'gzip' })
}

function saying(changes: Record<string, unknown>) {
  return answered(200, JSON.stringify({ ...approval, ...changes }))
}
