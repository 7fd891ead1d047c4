import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway, Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { type Payer, until } from './matrix-payer.ts'
import { createCrowd } from './redis-crowd.ts'
import { openDeafPath } from './redis-deaf.ts'
import { CHARGED, NOT_SENT } from './redis-journeys.ts'
import { addGatewayWithPaths } from './redis-paths.ts'
import { openSealed } from './redis-sealed.ts'

// A tenth of the real times: tries of 1 s, SEND_BY 2.2 s, PayConex 3 s, ANSWER_BY 5.5 s.
const TIME_SCALE = 0.1
const env = { TIME_SCALE: String(TIME_SCALE) }

type Crowd = ReturnType<typeof createCrowd>

let stack: Stack
let sealed: ReturnType<typeof openSealed>
let crowd: Crowd

beforeAll(async () => {
  stack = await startTestStack({ gateways: 2, workers: 1, env })
  sealed = openSealed(stack.queue.url)
  crowd = createCrowd(stack, TIME_SCALE)
})

afterAll(async () => {
  sealed?.close()
  crowd?.close()
  await stack?.stop()
})

const payerAt: Crowd['payerAt'] = (...how) => crowd.payerAt(...how)

/** The same payment, whose next tries go to the first gateway, which nobody kills. */
const elsewhere = (payer: Payer) => crowd.again(stack.gateways[0], payer)

const ABANDONED = { ...NOT_SENT, heard: 'silence' }

/** The gateway holds so many tries. */
const holds = ({ opsUrl }: Gateway, tries: number) =>
  until(
    async () => (await (await fetch(`${opsUrl}/metrics`)).text()).includes(`pay_gateway_waiting_tries ${tries}\n`),
    9000,
    20,
  )

describe.concurrent('a gateway', () => {
  it('C36: killed before it has recorded the payment: nothing is known of it, and the next try pays', async () => {
    const { gateway, ledger, close } = await addGatewayWithPaths(stack)
    const payer = payerAt(gateway)
    await ledger.set({ kind: 'timeout', way: 'to' })
    const firstTry = payer.tryOnce()
    await holds(gateway, 1)

    gateway.kill('SIGKILL')

    expect(await firstTry).toBe('silence')
    expect(await payer.record()).toBeUndefined()
    const next = elsewhere(payer)
    await next.call()
    expect(await next.books('approved')).toEqual(CHARGED)
    await close()
  })

  it('C36: killed when it has recorded the payment: the next try takes it up; without one it is withdrawn', async () => {
    const { gateway, queue, close } = await addGatewayWithPaths(stack)
    const [payer, quitter] = [payerAt(gateway), payerAt(gateway)]
    await queue.set({ kind: 'timeout', way: 'to' })
    const tries = [payer.tryOnce(), quitter.tryOnce()]
    await Promise.all([payer.reaches('accepted'), quitter.reaches('accepted')])

    gateway.kill('SIGKILL')

    expect(await Promise.all(tries)).toEqual(['silence', 'silence'])
    expect(await sealed.of(payer)).toBeUndefined()
    const next = elsewhere(payer)
    await next.call()
    expect(await next.books('approved')).toEqual(CHARGED)
    expect(await quitter.books('not_sent')).toEqual(ABANDONED)
    await close()
  })

  // The sealed payment and its job leave in one flight: that the queue has the one without the other is not left to chance here.
  it('C36: killed when only the sealed payment has arrived: the next try takes it up; without one it is withdrawn and erased', async () => {
    const { gateway, queue, close } = await addGatewayWithPaths(stack)
    const [payer, quitter] = [payerAt(gateway), payerAt(gateway)]
    await queue.set({ kind: 'timeout', way: 'to' })
    const tries = [payer.tryOnce(), quitter.tryOnce()]
    await Promise.all([payer.reaches('accepted'), quitter.reaches('accepted')])
    await Promise.all([payer, quitter].map((each) => sealed.replace(each, 'sealed')))

    gateway.kill('SIGKILL')

    expect(await Promise.all(tries)).toEqual(['silence', 'silence'])
    const next = elsewhere(payer)
    await next.call()
    expect(await next.books('approved')).toEqual(CHARGED)
    expect(await quitter.books('not_sent')).toEqual(ABANDONED)
    await until(async () => !(await sealed.of(payer)) && !(await sealed.of(quitter)), 2000, 20)
    expect([await sealed.of(payer), await sealed.of(quitter)]).toEqual([undefined, undefined])
    await close()
  })

  it('C36: killed when it has queued the payment: it is charged, and whoever asks again hears so', async () => {
    const { gateway, queue, close } = await addGatewayWithPaths(stack)
    const payer = payerAt(gateway)
    await payer.fault({ fault: 'delay', ms: 300, on: 'reserve' })
    await queue.set({ kind: 'latency', ms: 600, way: 'back' })
    const firstTry = payer.tryOnce()
    await payer.arrived('reserve')

    gateway.kill('SIGKILL')

    expect(await firstTry).toBe('silence')
    expect(await payer.books('approved')).toEqual({ ...CHARGED, heard: 'silence' })
    const next = elsewhere(payer)
    await next.call()
    expect(await next.books('approved')).toEqual(CHARGED)
    await close()
  })

  it('C37: killed while it holds the try: the next one, at another gateway, gets the answer of the one charge', async () => {
    const gateway = await stack.addGateway()
    const payer = payerAt(gateway)
    await payer.fault({ fault: 'delay', ms: 700 })
    const firstTry = payer.tryOnce()
    await payer.arrived('sale')

    gateway.kill('SIGKILL')

    expect(await firstTry).toBe('silence')
    const next = elsewhere(payer)
    await next.call()
    expect(await next.books('approved')).toEqual(CHARGED)
  })

  it('C46: that never hears what is published finds the outcome in the ledger', async () => {
    const path = await openDeafPath(stack.ledger.url)
    const gateway = await stack.addGateway({ env: { LEDGER_REDIS_URL: path.url } })
    const payer = payerAt(gateway)
    await payer.fault({ fault: 'delay', ms: 300 })

    await payer.call()

    expect(await payer.books('approved')).toEqual(CHARGED)
    expect(path.lost()).toBeGreaterThan(0)
    await gateway.stop()
    path.close()
  })

  it('C46: whose channel is cut while it waits reads what it has missed', async () => {
    const { gateway, ledger, close } = await addGatewayWithPaths(stack)
    const payer = payerAt(gateway)
    await payer.fault({ fault: 'delay', ms: 500 })
    const answer = payer.call()
    await payer.arrived('sale')

    await ledger.set({ kind: 'down' })
    await payer.reaches('approved')
    await ledger.heal()

    expect(await answer).toBe('approved')
    expect(await payer.books('approved')).toEqual(CHARGED)
    await gateway.stop()
    await close()
  })
})
