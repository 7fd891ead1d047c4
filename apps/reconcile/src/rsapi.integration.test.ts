import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { Secret } from '@pay/mapper'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Row } from './report-row.ts'
import { createRsapi, NoReport, type RsapiOptions } from './rsapi.ts'
import { ACCOUNT, TODAY } from './testing.ts'

/** A server in PayConex' place that answers whatever the test says. */
let answer: (request: IncomingMessage, response: ServerResponse) => void
let asked: { url?: string | undefined; form: URLSearchParams }[] = []
const server = createServer(async (request, response) => {
  asked.push({ url: request.url, form: new URLSearchParams(await text(request)) })
  answer(request, response)
})
let url: string

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const KEY = 'canary0access0key0canary0access0'
const credentials = { accountId: ACCOUNT, accessKey: new Secret(KEY) }

async function read(options: Partial<RsapiOptions> = {}) {
  asked = []
  const rows: Row[] = []
  for await (const some of createRsapi({ url, ...options })(credentials, TODAY)) rows.push(...some)
  return rows
}

const sale = (nth: number, changes: object = {}) => ({
  transaction_id: String(nth),
  transaction_type: 'SALE',
  transaction_timestamp: `${TODAY} 10:20:30`,
  transaction_amount: 10,
  transaction_approved: true,
  custom_id: `tx-${nth}`,
  ...changes,
})

const says = (body: string | Buffer, headers: Record<string, string> = {}, status = 200) => {
  answer = (_, response) => void response.writeHead(status, headers).end(body)
}

describe('a report', () => {
  it('is asked for by its day, in JSON, and without a filter', async () => {
    says(JSON.stringify([sale(1), sale(2, { transaction_type: 'CREDIT' })]))

    expect(await read()).toMatchObject([{ id: '000000000001', customId: 'tx-1' }])
    expect(asked).toMatchObject([{ url: '/api/rsapi/3.8' }])
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      account_id: ACCOUNT,
      api_accesskey: KEY,
      response_format: 'JSON',
      transaction_date: TODAY,
    })
  })

  it('may come packed, and may be long', async () => {
    const rows = Array.from({ length: 2000 }, (_, nth) => sale(nth + 1))
    says(gzipSync(JSON.stringify(rows)), { 'content-encoding': 'gzip' })

    expect(await read()).toHaveLength(2000)
  })

  const cutOff = (body: string | Buffer, headers: Record<string, string>) => () => {
    answer = (_, response) => {
      response.writeHead(200, headers)
      response.write(body, () => response.destroy())
    }
  }
  const whole = JSON.stringify([sale(1)])
  const packed = { 'content-encoding': 'gzip' }

  it.each<[string, () => void, RegExp]>([
    ['of half a list', () => says(whole.slice(0, -1)), /cut off/],
    ['whose connection breaks', cutOff(whole.slice(0, 20), { 'content-length': '500' }), /cut off/],
    ['whose connection breaks behind a whole list', cutOff(whole, { 'content-length': '500' }), /cut off/],
    ['that is packed and cut off', () => says(gzipSync(whole).subarray(0, 40), packed), /cut off or damaged/],
    ['that is packed badly', () => says('no gzip', packed), /cut off or damaged/],
    ['of a firewall', () => says('<html>Access denied</html>'), /something else than a report/],
    ['of nothing', () => says(''), /something else than a report/],
    [
      'that is refused',
      () => says('{"error":true,"error_code":20008,"error_message":"Invalid"}'),
      /refuses the report \(error_code 20008\)/,
    ],
    ['whose rows are others', () => says('[{"day":"2026-11-28","total":4}]'), /no transaction_type that can be read/],
    [
      'of another day',
      () => says(JSON.stringify([sale(1, { transaction_timestamp: '2026-11-20 10:00:00' })])),
      /of another day/,
    ],
    ['that is an error of the server', () => says('[]', {}, 500), /HTTP 500/],
    ['that is somewhere else', () => says('', { location: 'https://example.test/' }, 302), /HTTP 302/],
  ])('%s is none', async (_, given, why) => {
    given()

    const error = await read().catch((reason: unknown) => reason)

    expect(error).toBeInstanceOf(NoReport)
    expect((error as Error).message).toMatch(why)
    expect((error as Error).message).not.toContain(KEY)
  })

  it('that is too long is none, also where it was packed small', async () => {
    says(gzipSync(JSON.stringify(Array.from({ length: 5000 }, (_, nth) => sale(nth)))), packed)

    await expect(read({ limits: { bytes: 100_000 } })).rejects.toThrow('MB')
  })

  it('for which one waits too long is none', async () => {
    answer = () => undefined
    await expect(read({ limits: { silentMs: 200 } })).rejects.toThrow('no answer within 0.2 s')

    answer = (_, response) => void response.writeHead(200).write('[')
    await expect(read({ limits: { silentMs: 200 } })).rejects.toThrow(NoReport)
    await expect(read({ limits: { wholeMs: 200 } })).rejects.toThrow('took too long')
  })

  it('cannot be had where nobody listens, or somebody without a certificate', async () => {
    await expect(read({ url: 'http://127.0.0.1:1' })).rejects.toThrow('cannot be reached (ECONNREFUSED)')
    await expect(read({ url: url.replace('http:', 'https:') })).rejects.toThrow('cannot be reached')
  })

  it('comes over TLS only from somebody who is known, or for whom CA_FILE vouches', async () => {
    const { cert, key } = await selfSigned()
    const secure = createTlsServer({ cert, key }, (_, response) => void response.end(whole))
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
    const place = `https://127.0.0.1:${(secure.address() as AddressInfo).port}`

    await expect(read({ url: place })).rejects.toThrow('cannot be reached (DEPTH_ZERO_SELF_SIGNED_CERT)')
    await expect(read({ url: place.replace('127.0.0.1', 'localhost'), ca: cert })).rejects.toThrow('cannot be reached')
    expect(await read({ url: place, ca: cert })).toHaveLength(1)
    secure.closeAllConnections()
    secure.close()
  })
})

async function selfSigned() {
  const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip: '127.0.0.1' }] }]
  const own = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keyType: 'ec',
    curve: 'P-256',
    extensions,
  })
  return { cert: own.cert, key: own.private }
}
