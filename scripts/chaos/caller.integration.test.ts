import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../process/free-port.ts'
import { callAsTwilio } from './caller.ts'
import { type Plan, planPayment } from './payment.ts'
import { createRandom } from './random.ts'

const plan: Plan = {
  ...planPayment(0, { seed: 1, faultShare: 0, roles: [{ role: 'pays', weight: 1 }], tryMs: 100 }, createRandom(1)),
  method: 'charge',
}
const limits = { tryMs: 150, tries: 3 }
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers) server.closeAllConnections()
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

type Answer = (response: ServerResponse, nth: number) => void

async function gateway(answer: Answer) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(response, requests.length)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests }
}

const saying =
  (body: object, status = 200): Answer =>
  (response) =>
    void response.writeHead(status).end(JSON.stringify(body))
const approved = saying({ charge_id: '000000000007', error_code: null, error_message: null })
const code = (error_code: string) => saying({ charge_id: null, error_code, error_message: 'x' })

describe('a caller', () => {
  it.each([
    ['an approval', approved, { kind: 'approved', id: '000000000007' }],
    ['a decline', code('30002'), { kind: 'declined', code: '30002' }],
    ['not_processed', code('not_processed'), { kind: 'not_processed' }],
    ['unconfirmed', code('unconfirmed'), { kind: 'unconfirmed' }],
    ['transaction_id_reused', code('transaction_id_reused'), { kind: 'transaction_id_reused' }],
    ['an unknown code', code('oops'), { kind: 'other' }],
    ['another status', saying({ charge_id: null, error_code: 'not_processed' }, 500), { kind: 'other' }],
    ['an approval without an id', saying({ charge_id: null, error_code: null }), { kind: 'other' }],
  ] as const)('understands %s', async (_, answer, told) => {
    const { url } = await gateway(answer)

    expect((await callAsTwilio(plan, { ...limits, endpoints: [url] })).told).toMatchObject(told)
  })

  it('tries again on silence, at the next gateway, and stops at the first answer', async () => {
    const silent = await gateway(() => undefined)
    const answering = await gateway(approved)

    const heard = await callAsTwilio(plan, { ...limits, endpoints: [silent.url, answering.url] })

    expect(heard).toMatchObject({ tries: 2, told: { kind: 'approved' } })
    expect([silent.requests.length, answering.requests.length]).toEqual([1, 1])
  })

  it('ends without an answer when all tries were silent, each of its full length', async () => {
    const { url, requests } = await gateway(() => undefined)
    const start = performance.now()

    const heard = await callAsTwilio(plan, { ...limits, endpoints: [url] })

    expect(heard).toEqual({ told: undefined, tries: 3 })
    expect(requests).toHaveLength(3)
    expect(performance.now() - start).toBeGreaterThan(3 * limits.tryMs - 10)
  })

  it('finds the gateway that is there within the same try', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}/`
    const { url } = await gateway(approved)

    expect(await callAsTwilio(plan, { ...limits, endpoints: [nobody, url] })).toMatchObject({ tries: 1 })
  })

  it('hangs up when he leaves, and does not come back', async () => {
    const { url, requests } = await gateway(() => undefined)

    const heard = await callAsTwilio(plan, { ...limits, endpoints: [url], leavesAfterMs: 50 })

    expect(heard.told).toBeUndefined()
    expect(requests).toHaveLength(1)
  })
})
