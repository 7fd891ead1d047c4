import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Client, credentials, type Json, sale, withSimulator } from './testing.ts'

const FORM = 'application/x-www-form-urlencoded'

const send = ({ url }: Client, path: string, body: string | Uint8Array<ArrayBuffer>, type = FORM) =>
  fetch(`${url}${path}`, { method: 'POST', headers: { 'Content-Type': type }, body })

describe('like a web server', () => {
  test.each([
    ['GET', '/api/qsapi/3.8'],
    ['POST', '/api/qsapi/3.7'],
    ['POST', '/api/slapi/3.8'],
    ['GET', '/favicon.ico'],
    ['GET', '/api/%E0%A4%A'],
  ])('%s %s is an HTML page that says no', (method, path) =>
    withSimulator(async ({ url }) => {
      const response = await fetch(`${url}${path}`, { method })

      expect(response.status).toBe(404)
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(await response.text()).toContain('<h1>Not Found</h1>')
    }),
  )

  test('it keeps connections open for five seconds, and says so', () =>
    withSimulator(async ({ post }) => {
      expect((await post('/api/qsapi/3.8', sale)).headers.get('keep-alive')).toBe('timeout=5')
    }))

  test('a body above the limit is refused', () =>
    withSimulator(async (simulator) => {
      expect((await send(simulator, '/api/qsapi/3.8', `custom_data=${'x'.repeat(600_000)}`)).status).toBe(413)
    }))

  test('two fields of the greatest length are below the limit', () =>
    withSimulator(async ({ qsapi }) => {
      const long = '€'.repeat(20_000)

      expect(await qsapi({ ...sale, custom_data: long, transaction_description: long })).toMatchObject({
        custom_data: long,
      })
    }))

  test('a JSON body is no form: its account is not seen', () =>
    withSimulator(async (simulator) => {
      const body = JSON.stringify({ ...credentials, ...sale })

      const response = await send(simulator, '/api/qsapi/3.8', body, 'application/json')

      expect(response.status).toBe(200)
      expect(await response.text()).toContain('error_message=Invalid+account_id')
    }))
})

describe('whatever is sent', () => {
  const paths = ['/api/qsapi/3.8', '/api/tsapi/3.8', '/_sim/faults', '/_sim/settings', '/_sim/ledger', '/nothing']
  const bodies = fc.oneof(
    fc.string(),
    fc.uint8Array(),
    fc.json(),
    fc.dictionary(fc.string(), fc.string()).map((form) => new URLSearchParams(form).toString()),
  )

  test('it answers below 500 and stays alive', () =>
    withSimulator(async (simulator) => {
      const types = fc.constantFrom(FORM, `${FORM}; charset=utf-16`, 'application/json', 'nonsense', 'text/plain')
      const anything = fc.asyncProperty(fc.constantFrom(...paths), bodies, types, async (path, body, type) => {
        const response = await send(simulator, path, typeof body === 'string' ? body : new Uint8Array(body), type)
        await response.text()
        return response.status < 500
      })

      await fc.assert(anything, { numRuns: 300 })

      await simulator.control('/reset', {})
      expect(await simulator.qsapi(sale)).toMatchObject({ transaction_approved: true })
    }))

  test('any value of any field is answered with HTTP 200', () =>
    withSimulator(async ({ post }) => {
      const names = [
        ...Object.keys(sale),
        'token_id',
        'transaction_id',
        'reissue',
        'card_tracks',
        'action',
        '__proto__',
      ]
      const odd = fc.asyncProperty(fc.constantFrom(...names), fc.string({ unit: 'grapheme' }), async (name, value) => {
        const form = Object.fromEntries([...Object.entries(sale), [name, value]])
        const response = await post('/api/qsapi/3.8', { ...form, response_format: 'JSON' })
        return response.status === 200 && typeof ((await response.json()) as Json).error === 'boolean'
      })

      await fc.assert(odd, { numRuns: 300 })
    }))

  test.each(['GARBAGE\r\n\r\n', 'POST /api/qsapi/3.8 HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nhalf', '\0\0\0'])(
    'a raw connection saying %j does no harm',
    (bytes) =>
      withSimulator(async ({ url, qsapi }) => {
        const socket = connect(Number(new URL(url).port), '127.0.0.1')
        await new Promise<void>((resolve) => socket.once('connect', resolve))
        await new Promise<void>((resolve) => socket.write(bytes, () => resolve()))
        socket.destroy()

        expect(await qsapi(sale)).toMatchObject({ transaction_approved: true })
      }),
  )
})
