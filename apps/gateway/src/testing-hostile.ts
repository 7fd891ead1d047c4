import fc, { type Arbitrary } from 'fast-check'
import { ENDPOINT } from './app.ts'
import { ACCESS_KEY, ACCOUNT, basic, legacyCharge, visaCharge, visaToken } from './testing.ts'

/** Support for fuzzing the door: connections as broken or hostile callers would make them. */
export type Hostile = {
  /** What is written, with a short pause between. */
  chunks: readonly Buffer[]
  /** What the caller does then. */
  end: 'waits' | 'half closes' | 'resets'
  /** So many requests stand in it that HTTP allows: each must be answered. `any`: that is for the door to say. */
  requests: number | 'any'
  isHead?: boolean
}

/** No try that carries it may ever reach the payment: it stands where only somebody who reads HTTP differently finds it. */
export const SMUGGLED = 'smuggled'

const bytes = (text: string | Uint8Array) =>
  typeof text === 'string' ? Buffer.from(text, 'latin1') : Buffer.from(text)
const AUTHORIZATION = `Authorization: ${basic(ACCOUNT, ACCESS_KEY)}`

type Request = { line?: string; headers?: readonly string[]; body?: Uint8Array }

function requestOf({
  line = `POST ${ENDPOINT} HTTP/1.1`,
  headers = [AUTHORIZATION],
  body = Buffer.alloc(0),
}: Request): Buffer {
  const head = [line, 'Host: x', ...headers, `Content-Length: ${body.length}`].join('\r\n')
  return Buffer.concat([bytes(`${head}\r\n\r\n`), body])
}

const payment = (changes: object = {}) => bytes(JSON.stringify({ ...visaCharge, ...changes }))
const smuggled = requestOf({ body: payment({ transaction_id: SMUGGLED }) })
const PAYMENT = requestOf({ body: payment() })

// What stands in a body.

/** Values as they should not be. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '0', '-1', '1e9', 'NaN', '__proto__', 'constructor', '4111111111111111', '\ud800', '\u0000'),
  fc.constantFrom<unknown>(null, {}, [], 1e21, -0, 1e308, Number.MIN_VALUE, true),
)

/** A proper request in which some fields say something else, and some of nobody's are added. */
const nearMiss = fc
  .tuple(
    fc.constantFrom<object>(visaCharge, visaToken, legacyCharge),
    fc.dictionary(fc.constantFrom(...Object.keys(visaCharge)), anything, { maxKeys: 3 }),
    fc.dictionary(fc.string({ maxLength: 8 }), anything, { maxKeys: 2 }),
  )
  .map(([proper, wrong, more]) => JSON.stringify({ ...more, ...proper, ...wrong }))

const text = JSON.stringify(visaCharge)
const repeated = (part: string) => fc.integer({ min: 1, max: 9000 }).map((times) => part.repeat(times))

/** JSON that says something twice, too deep, too big, or that only some programs read. */
const trickyJson = fc.oneof(
  fc.constantFrom(...Object.keys(visaCharge)).map((key) => text.replace('{', `{"${key}":"1",`)),
  fc.constantFrom('__proto__', 'constructor', 'toString').map((key) => text.replace('{', `{"${key}":{"amount":"1"},`)),
  repeated('[').map((open) => `{"parameters":${open}`),
  repeated('{"a":').map((open) => `${open}1${'}'.repeat(open.length / 5)}`),
  fc
    .integer({ min: 1, max: 5000 })
    .map((digits) => text.replace('"amount":"', `"amount":1${'0'.repeat(digits)},"x":"`)),
  fc
    .constantFrom('NaN', 'Infinity', '01', '0x10', '1.', '.5', '-', '1e999999', "'10'")
    .map((number) => `{"amount":${number}}`),
  fc.constantFrom('\ufeff', '/* */', '//\n', '\u0000', ' ', '\u2028').map((before) => before + text),
  fc.constantFrom('\u0000', ',', '}', text, '\n\n', ']').map((after) => text + after),
  fc.nat(text.length).map((length) => text.slice(0, length)),
)

const utf8 = (value: string) => Buffer.from(value, 'utf8')

const anyBody: Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: nearMiss.map(utf8) },
  { weight: 4, arbitrary: trickyJson.map(utf8) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 4 }).map((value) => utf8(JSON.stringify(value))) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<BufferEncoding>('utf16le', 'latin1').map((code) => Buffer.from(`${text}é`, code)),
  },
  {
    weight: 1,
    arbitrary: fc.nat(text.length).map((at) => Buffer.concat([utf8(text.slice(0, at)), bytes('\xed\xa0\x80')])),
  },
)

// What stands before it.

const paths = fc.oneof(
  fc
    .constantFrom('', '/', '/charge', '/tokenize', '/refund', '/constructor', '?', '?a=%zz', '//', '/%2e%2e')
    .map((end) => ENDPOINT + end),
  fc.constantFrom(
    '/',
    '*',
    '//',
    '/%00',
    '/%',
    '/%c0%ae',
    '/..;/',
    '/api/v4/../../etc',
    'http://evil.example/',
    '/\\',
    '/?__proto__[a]=1',
  ),
  fc.webPath({ size: 'small' }).map((path) => path || '/'),
  fc.integer({ min: 1, max: 3000 }).map((length) => `/${'a'.repeat(length)}`),
)
const methods = fc.constantFrom(
  'POST',
  'GET',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'PURGE',
  'M-SEARCH',
  'QUERY',
)
const visible = (maxLength: number) => fc.string({ maxLength }).map((value) => value.replace(/[^\x20-\x7e]/g, ''))

const credentials = fc.oneof(
  fc.constant(AUTHORIZATION),
  visible(60).map((value) => `Authorization: ${value}`),
  fc
    .tuple(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 300 }))
    .map(([user, key]) => `Authorization: ${basic(user, key)}`),
  fc
    .constantFrom('', 'Basic', 'basic ====', 'Basic Og==', 'Bearer x', 'Basic AAAA AAAA', 'Digest username="a"')
    .map((value) => `Authorization: ${value}`),
  fc.integer({ min: 1, max: 3000 }).map((length) => `Authorization: Basic ${'A'.repeat(length)}`),
  fc.constant(`${AUTHORIZATION}\r\nAuthorization: Basic Og==`),
)
const oddHeader = fc.oneof(
  fc
    .constantFrom('application/json; charset=utf-16', 'multipart/form-data', ';;;', '')
    .map((type) => `Content-Type: ${type}`),
  fc
    .constantFrom('gzip', 'deflate', 'br', 'zstd', 'identity', 'nonsense')
    .map((coding) => `Content-Encoding: ${coding}`),
  fc.constantFrom('Upgrade: websocket', 'TE: trailers'),
  fc.constantFrom(
    'Connection: x',
    'Connection: keep-alive',
    'Keep-Alive: timeout=0',
    'Host: y',
    'Max-Forwards: 0',
    'Range: bytes=0-',
  ),
  visible(80).map((value) => `X-Forwarded-For: ${value}`),
  visible(200).map((value) => `X-Any: ${value}`),
  fc.integer({ min: 1, max: 300 }).map((many) => Array.from({ length: many }, (_, nth) => `a${nth}:`).join('\r\n')),
)
const cookies = fc.constantFrom(
  '__proto__: 1',
  'constructor: 1',
  'X-HTTP-Method-Override: DELETE',
  'If-None-Match: *',
  'Accept: nothing/at-all',
)

/** What HTTP allows, whatever it says. */
const wellFormed = fc.oneof(
  { weight: 3, arbitrary: anyBody.map((body) => requestOf({ body })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(methods, paths, credentials, fc.array(fc.oneof(oddHeader, cookies), { maxLength: 3 }), anyBody)
      .map(([method, path, credential, others, body]) =>
        requestOf({ line: `${method} ${path} HTTP/1.1`, headers: [credential, ...others], body }),
      ),
  },
)

/** Many, one after another or all at once, on one connection. */
export const conversations: Arbitrary<Hostile> = fc
  .record({ all: fc.array(wellFormed, { minLength: 20, maxLength: 20 }), atOnce: fc.boolean() })
  .map(({ all, atOnce }) => ({
    chunks: atOnce ? [Buffer.concat(all)] : all,
    end: 'waits' as const,
    requests: all.length,
  }))

const alone: Arbitrary<Hostile> = fc.oneof(
  fc.constantFrom('websocket', 'h2c', 'TLS/1.0', 'x').map(
    (protocol): Hostile => ({
      chunks: [requestOf({ headers: [AUTHORIZATION, 'Connection: Upgrade', `Upgrade: ${protocol}`], body: smuggled })],
      end: 'waits',
      requests: 1,
    }),
  ),
  paths.map(
    (path): Hostile => ({
      chunks: [requestOf({ line: `HEAD ${path} HTTP/1.1` })],
      end: 'waits',
      requests: 1,
      isHead: true,
    }),
  ),
  fc.integer({ min: 1, max: 40_000 }).map(
    (more): Hostile => ({
      chunks: [requestOf({ body: payment({ description: 'x'.repeat(64 * 1024 + more) }) })],
      end: 'waits',
      requests: 1,
    }),
  ),
)

// What is no HTTP, or could be read in two ways.

/** The first is read as having no body, or the wrong one, by whoever errs; then the smuggled payment would be next. */
const conflicting = fc
  .constantFrom(
    'Content-Length: 4\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 4',
    'Content-Length: 0\r\nContent-Length: 9999',
    'Content-Length: 5\r\nContent-Length: 5',
    'Content-Length: 5, 5',
    'Content-Length: +5',
    'Content-Length: 0x5',
    'Content-Length: 5 5',
    'Content-Length: -1',
    'Content-Length: 99999999999999999999',
    'Content-Length : 5',
    'Transfer-Encoding : chunked\r\nContent-Length: 5',
    'Transfer-Encoding: xchunked\r\nContent-Length: 5',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity, chunked, x',
    'Transfer-Encoding:\r\n chunked\r\nContent-Length: 5',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
    'Transfer-Encoding: \x0bchunked\r\nContent-Length: 5',
    'Transfer-Encoding\x00: chunked\r\nContent-Length: 5',
    'X: y\rTransfer-Encoding: chunked\r\nContent-Length: 5',
    'X: y\nContent-Length: 5\nTransfer-Encoding: chunked',
  )
  .chain((header) =>
    fc
      .constantFrom('0\r\n\r\n', '5;\nabcde\r\n0\r\n\r\n', '', '0\n\n', 'fffffffffffffffff\r\n')
      .map((body) =>
        Buffer.concat([
          bytes(`POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\n${header}\r\n\r\n${body}`),
          smuggled,
        ]),
      ),
  )

const chunked = (body: string) =>
  bytes(`POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`)

const brokenChunks = fc
  .oneof(
    fc.constantFrom(
      'zz\r\n',
      '-1\r\n',
      '0x5\r\nabcde\r\n',
      '5\r\nabcdeX\r\n',
      ' 5\r\nabcde\r\n',
      '5\nabcde\n0\n\n',
      '\r\n',
      '1;a="\r\n',
    ),
    repeated('a').map((extension) => `1;${extension.repeat(2)}\r\nx\r\n0\r\n\r\n`),
    repeated('1\r\nx\r\n').map((many) => `${many}0\r\nTrailer: x\r\n\r\n`),
    fc.integer({ min: 1, max: 17_000 }).map((length) => `0\r\nX-Trailer: ${'x'.repeat(length)}\r\n\r\n`),
  )
  .map(chunked)

const brokenHead = fc
  .oneof(
    fc.constantFrom(
      'POST',
      'POST /',
      'POST  / HTTP/1.1',
      'post / HTTP/1.1',
      'FOO / HTTP/1.1',
      'POST / HTTP/9.9',
      'POST / HTTP/1.1 x',
      'CONNECT x:443 HTTP/1.1',
      'POST /\x00 HTTP/1.1',
      ' POST / HTTP/1.1',
      'PRI * HTTP/2.0',
      'POST /é HTTP/1.1',
      '\x16\x03\x01\x02\x00\x01',
    ),
    fc.string({ unit: 'binary', maxLength: 100 }),
    repeated('POST '),
  )
  .chain((line) =>
    fc
      .constantFrom('\r\nHost: x\r\n\r\n', '\nHost: x\n\n', '\r\n\r\n', '\rHost: x\r\r', '\r\n\r\n\r\n\r\n')
      .map((rest) => bytes(line + rest)),
  )

const headerBombs = fc
  .oneof(
    fc.integer({ min: 16_000, max: 40_000 }).map((length) => `X: ${'x'.repeat(length)}`),
    fc
      .integer({ min: 2000, max: 8000 })
      .map((many) => Array.from({ length: many }, (_, nth) => `h${nth}: x`).join('\r\n')),
    fc.constantFrom(
      'no colon',
      ': no name',
      'a b: c',
      'X: a\x00b',
      'X: a\r\n folded',
      'X: \x7f',
      'é: x',
      'X: é',
      '\tX: y',
    ),
  )
  .map((header) =>
    bytes(`POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\n${header}\r\nContent-Length: 0\r\n\r\n`),
  )

/** A payment in which some bytes are others. */
const mutated = fc
  .array(
    fc.record({ at: fc.nat(PAYMENT.length - 1), byte: fc.nat(255), how: fc.constantFrom('set', 'insert', 'remove') }),
    { minLength: 1, maxLength: 4 },
  )
  .map((changes) => {
    const all = [...PAYMENT]
    for (const { at, byte, how } of changes)
      all.splice(at, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]))
    return Buffer.from(all)
  })

const ends = fc.constantFrom<Hostile['end']>('half closes', 'resets')

/** What breaks off or is cut off: most callers then do something at once, so that little time is spent on waiting. */
export const broken: Arbitrary<Hostile> = fc.oneof(
  fc.tuple(fc.oneof(conflicting, brokenChunks, brokenHead, headerBombs, mutated), ends, fc.boolean()).map(
    ([first, end, isFollowed]): Hostile => ({
      chunks: isFollowed ? [first, bytes('\r\n\r\nno HTTP\r\n\r\n')] : [first],
      end,
      requests: 'any',
    }),
  ),
  fc
    .tuple(fc.nat(PAYMENT.length - 1), ends)
    .map(([length, end]): Hostile => ({ chunks: [PAYMENT.subarray(0, length)], end, requests: 'any' })),
  fc
    .tuple(wellFormed, wellFormed, ends)
    .map(([first, second, end]): Hostile => ({ chunks: [Buffer.concat([first, second])], end, requests: 'any' })),
  alone,
)

/** What the door has to end, because the caller neither says more nor goes away; some say a little now and then. */
export const lingering: Arbitrary<Hostile> = fc
  .tuple(
    fc.oneof(
      conflicting,
      brokenChunks,
      brokenHead,
      headerBombs,
      mutated,
      fc.nat(PAYMENT.length - 1).map((length) => PAYMENT.subarray(0, length)),
    ),
    fc.integer({ min: 1, max: 5 }),
  )
  .map(([all, parts]): Hostile => {
    const size = Math.ceil(all.length / parts)
    return {
      chunks: Array.from({ length: parts }, (_, nth) => all.subarray(nth * size, (nth + 1) * size)),
      end: 'waits',
      requests: 'any',
    }
  })
