import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { openProxy } from '../scripts/chaos/proxy.ts'
import type { Child } from '../scripts/process/child.ts'
import type { Gateway, Stack } from '../scripts/stack/stack.ts'
import { startTestRedis, startTestStack } from '../scripts/test/servers.ts'
import { post } from './caller.ts'
import { type Payer, until } from './matrix-payer.ts'
import { createCrowd } from './redis-crowd.ts'
import { becomeStaleReplica } from './redis-stale.ts'

// A tenth of the real times: tries of 1 s, SEND_BY 2.2 s, PayConex 3 s, ANSWER_BY 5.5 s.
const TIME_SCALE = 0.1
const env = { TIME_SCALE: String(TIME_SCALE) }

const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function start(options: Parameters<typeof startTestStack>[0] = {}) {
  const stack = await startTestStack({ ...options, env })
  endings.push(() => stack.stop())
  const crowd = createCrowd(stack, TIME_SCALE)
  endings.push(crowd.close)
  return { stack, crowd, payer: crowd.payerAt(stack.gateways[0]) }
}

const NOT_THIS = /LEDGER_REDIS_URL: not this ledger/

/** The process ends by itself, and says which ledger it does not trust. */
async function endsByName({ exited, lastLines }: Child): Promise<void> {
  expect(await Promise.race([exited, sleep(8000, 'still there', { ref: false })])).toEqual({ code: 1, signal: null })
  expect(lastLines()).toMatch(NOT_THIS)
}

async function nobodyNewStarts(stack: Stack): Promise<void> {
  await Promise.all([
    expect(stack.addWorker()).rejects.toThrow(NOT_THIS),
    expect(stack.addGateway()).rejects.toThrow(NOT_THIS),
  ])
}

/** What one more try hears, held as long as the gateway likes: at SEND_BY it could be told a lie. */
const hears = ({ body, account }: Payer, gateway: Gateway | undefined) =>
  post(gateway?.endpoint ?? '', body, { user: account }).then(
    (answer) => answer.body.error_code,
    () => 'silence',
  )

/** So many fences have been noted on the queue's server. */
async function isNoted(stack: Stack, fences: number): Promise<void> {
  const queue = new Redis(stack.queue.url)
  await until(async () => Number(await queue.hget('{s0}:ledger-seen', 'fences')) >= fences, 5000, 20)
  queue.disconnect()
}

/** Charged by PayConex, whose answer is under way; `before` is called when the worker has it, and the fence is not passed yet. */
async function sendWithoutAnswer(payer: Payer, before: () => Promise<void>): Promise<void> {
  await payer.fault({ fault: 'delay', ms: 400, on: 'reserve' })
  await payer.fault({ fault: 'delay', ms: 2500, when: 'after' })
  void payer.tryOnce()
  await payer.arrived('reserve')
  await before()
  await payer.arrived('sale')
}

describe('a ledger that went back', () => {
  it('D48: to before the fence, while the job is kept: every process stops by name, also one that had not seen the fence', async () => {
    const { stack, payer } = await start({ gateways: 2, workers: 2 })
    let goBack = async () => undefined as unknown
    await sendWithoutAnswer(payer, async () => {
      goBack = await stack.ledger.snapshot()
    })
    await isNoted(stack, 1)

    await goBack()

    await Promise.all(stack.workers.map(endsByName))
    expect((await payer.record())?.state).toBe('accepted')
    expect(await jobsOf(stack)).toBe(1)
    expect(await Promise.all(stack.gateways.map((gateway) => hears(payer, gateway)))).toEqual(['silence', 'silence'])
    await Promise.all(stack.gateways.map(endsByName))
    await nobodyNewStarts(stack)
    expect(await payer.charges()).toHaveLength(1)
  })
})

const jobsOf = async ({ queue }: Stack): Promise<number> => {
  const redis = new Redis(queue.url)
  const jobs = (await redis.keys('{s0}:payments:p_*')).filter((key) => !key.endsWith(':lock'))
  redis.disconnect()
  return jobs.length
}

describe('a ledger that is empty', () => {
  it('D51: every process stops by name and none starts; once the queue has forgotten, too, nobody knows: the documented limit', async () => {
    const { stack, payer } = await start({ workers: 1 })
    expect(await payer.call()).toBe('approved')
    await isNoted(stack, 1)

    await stack.ledger.restartEmpty()

    await Promise.all(stack.workers.map(endsByName))
    expect(await hears(payer, stack.gateways[0])).toBe('silence')
    await Promise.all(stack.gateways.map(endsByName))
    await nobodyNewStarts(stack)
    expect(await payer.charges()).toHaveLength(1)

    await stack.queue.restart()
    const [gateway] = await Promise.all([stack.addGateway(), stack.addWorker()])
    const crowd = createCrowd(stack, TIME_SCALE)
    endings.push(crowd.close)
    const again = crowd.again(gateway, payer)
    expect(await again.call()).toBe('approved')
    expect(await again.charges()).toHaveLength(2)
  })
})

describe('a replica', () => {
  it('D54: that had fallen behind and takes over the ledger is not served, by anybody', async () => {
    const [master, replica] = await Promise.all([
      startTestRedis({ kind: 'ledger' }),
      startTestRedis({ kind: 'ledger' }),
    ])
    endings.push(() => Promise.all([master.stop(), replica.stop()]))
    const path = await openProxy({ to: master.url })
    const { stack, crowd, payer } = await start({ workers: 1, redis: { ledgerUrl: path.url } })
    expect(await payer.call()).toBe('approved')
    await becomeStaleReplica(replica, master)
    const forgotten = crowd.payerAt(stack.gateways[0])
    expect(await forgotten.call()).toBe('approved')
    await isNoted(stack, 2)

    await path.close()
    const promoted = await openProxy({ to: replica.url, port: path.port })
    endings.push(promoted.close)

    await Promise.all(stack.workers.map(endsByName))
    expect(await hears(forgotten, stack.gateways[0])).toBe('silence')
    await Promise.all(stack.gateways.map(endsByName))
    await nobodyNewStarts(stack)
    expect(await forgotten.charges()).toHaveLength(1)
  })
})
