import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../scripts/process/free-port.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { type Body, post, postAndHangUp, visaCharge } from './caller.ts'
import { addWorkerWithPaths } from './redis-paths.ts'
import { witness } from './simulator.ts'

// A tenth of the real times: tries of 1 s, a worker is silent after 0.5 s, SEND_BY 2.2 s, ANSWER_BY 5.5 s.
const TIME_SCALE = 0.1
const TRY_MS = 10_000 * TIME_SCALE

let stack: Stack

afterEach(() => stack?.stop())

async function start(options: { gateways?: number; workers?: number }): Promise<ReturnType<typeof witness>> {
  stack = await startTestStack({ ...options, env: { TIME_SCALE: String(TIME_SCALE) } })
  return witness(stack.simulator?.url ?? '')
}

const endpoint = (nth = 0) => stack.gateways[nth]?.endpoint ?? ''

async function callUntilAnswered(body: Body) {
  for (let tries = 0; tries < 6; tries += 1) {
    const answer = await postAndHangUp(endpoint(tries % stack.gateways.length), body, TRY_MS)
    if (answer !== 'silence') return answer.body
  }
  return 'silence'
}

describe('a PayConex that nobody can connect to', () => {
  it('with reservation off: nothing is sent, and the caller may try again', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`
    const env = { TIME_SCALE: String(TIME_SCALE), PAYCONEX_URL: nobody, PAYCONEX_RESERVE: 'off' }
    stack = await startTestStack({ workers: 1, env })

    const answer = await callUntilAnswered(visaCharge())

    expect(answer).toMatchObject({ charge_id: null, error_code: 'not_processed' })
  })
})

describe('a Redis that is killed', () => {
  it('the queue: the caller hears that nothing was done, and payments go on once it is back', async () => {
    const payconex = await start({ workers: 1 })
    await stack.queue.kill()
    const body = visaCharge()

    const answer = await callUntilAnswered(body)

    expect(answer).toMatchObject({ charge_id: null, error_code: 'not_processed' })
    await stack.queue.restart()
    await expect
      .poll(async () => callUntilAnswered(visaCharge()), { timeout: 10_000 })
      .toMatchObject({ error_code: null })
    expect((await payconex.books(body.transaction_id)).transactions).toEqual([])
  })

  it('the queue, and is started anew: whoever begins to pay meanwhile waits for it, and is paid', async () => {
    stack = await startTestStack({ workers: 1, env: { TIME_SCALE: '1' } })
    expect(await callUntilAnswered(visaCharge())).toMatchObject({ error_code: null })

    await stack.queue.kill()
    const meanwhile = Array.from({ length: 5 }, () => post(endpoint(), visaCharge()))
    await sleep(300)
    await stack.queue.restart()

    for (const { body } of await Promise.all(meanwhile)) {
      expect(body).toMatchObject({ charge_id: expect.any(String), error_code: null })
    }
  })

  it('the ledger: the caller hears nothing until it is back, then the true answer', async () => {
    const payconex = await start({ workers: 1 })
    const paid = visaCharge()
    const { body: before } = await post(endpoint(), paid)
    await stack.ledger.kill()
    const repeat = postAndHangUp(endpoint(), paid, TRY_MS)

    expect(await repeat).toBe('silence')
    await stack.ledger.restart()

    expect(await callUntilAnswered(paid)).toEqual(before)
    expect((await payconex.books(paid.transaction_id)).transactions).toHaveLength(1)
  })

  it('the ledger, for good: at the end the caller hears that it is not known', async () => {
    await start({ workers: 1 })
    await stack.ledger.kill()

    const answer = await callUntilAnswered(visaCharge())

    expect(answer).toMatchObject({ charge_id: null, error_code: 'unconfirmed' })
  })
})

describe('a service that is asked to end', () => {
  it('a worker, although the queue is away: leaves what it only asks about to another, which finishes it', async () => {
    const payconex = await start({ workers: 1 })
    const other = await addWorkerWithPaths(stack)
    await other.queue.set({ kind: 'down' })
    const body = visaCharge()
    await payconex.fault({ fault: 'reset_after_commit', custom_id: body.transaction_id })
    await payconex.fault({ fault: '500', on: 'status', share: 1 })
    const answer = callUntilAnswered(body)
    await expect.poll(async () => (await payconex.books()).requests.status, { timeout: 5000 }).toBeGreaterThan(0)

    await stack.queue.kill()
    const end = await stack.workers[0]?.stop(4000)
    await payconex.clearFaults()

    expect(end).toEqual({ code: 0, signal: null })
    const { transactions } = await payconex.books(body.transaction_id)
    expect(await answer).toMatchObject({ charge_id: transactions[0]?.transaction_id, error_code: null })
    await other.close()
  })

  it('a gateway: answers what it holds and exits with 0', async () => {
    const payconex = await start({ workers: 1 })
    const body = visaCharge()
    await payconex.fault({ fault: 'delay', ms: 700, custom_id: body.transaction_id })
    const answer = post(endpoint(), body)
    await expect.poll(() => payconex.requests(body.transaction_id), { timeout: 5000 }).toMatchObject({ length: 1 })

    const end = await stack.gateways[0]?.stop()

    expect(end).toMatchObject({ code: 0 })
    expect((await answer).body.error_code).toBeNull()
  })
})
