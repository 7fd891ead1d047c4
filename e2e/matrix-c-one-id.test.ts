import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway, Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { ACCESS_KEY, ACCOUNT, visaCharge } from './caller.ts'
import type { Payer } from './matrix-payer.ts'
import { createCrowd } from './redis-crowd.ts'
import { CHARGED, NOT_SENT } from './redis-journeys.ts'

// A tenth of the real times: tries of 1 s, SEND_BY 2.2 s, PayConex 3 s, ANSWER_BY 5.5 s; an absence is proven after 3.1 s.
const TIME_SCALE = 0.1
const env = { TIME_SCALE: String(TIME_SCALE), ABSENCE_MARGIN_MS: '1000' }

type Crowd = ReturnType<typeof createCrowd>

let stack: Stack
let crowd: Crowd

beforeAll(async () => {
  stack = await startTestStack({ gateways: 2, workers: 1, env })
  crowd = createCrowd(stack, TIME_SCALE)
})

afterAll(async () => {
  crowd?.close()
  await stack?.stop()
})

const payerAt: Crowd['payerAt'] = (...how) => crowd.payerAt(...how)

describe.concurrent('a caller who hangs up', () => {
  it('C38: in the middle of his request has paid nothing', async () => {
    const payer = payerAt(stack.gateways[0])
    const text = JSON.stringify(payer.body)
    await sayAndLeave(stack.gateways[0], text.slice(0, text.length / 2), text.length)

    expect(await payer.record()).toBeUndefined()
    await payer.call()
    expect(await payer.books('approved')).toEqual(CHARGED)
  })

  it('C38: before PayConex is asked to charge, and nobody comes back: nothing is sent; who asks later is charged once', async () => {
    const payer = payerAt(stack.gateways[0])
    // The worker asks for an id for 0.5 s at a time.
    await payer.fault({ fault: 'hang', on: 'reserve', next: 3 })

    expect(await payer.tryOnce()).toBe('silence')

    expect(await payer.books('not_sent')).toEqual({ ...NOT_SENT, heard: 'silence' })
    await payer.call()
    expect(await payer.books('approved')).toEqual(CHARGED)
  })

  it('C38: while PayConex is at work: the outcome is recorded, and told to whoever asks again', async () => {
    const payer = payerAt(stack.gateways[0])
    await payer.fault({ fault: 'delay', ms: 1500 })

    expect(await payer.tryOnce()).toBe('silence')

    expect(await payer.books('approved')).toEqual({ ...CHARGED, heard: 'silence' })
    await payer.call()
    expect(await payer.books('approved')).toEqual(CHARGED)
  })
})

describe.concurrent('another request under the same id', () => {
  const other = (payer: Payer) => crowd.again(stack.gateways[1], payer, { amount: '11.00' })

  it('C40: while the first is recorded is refused', async () => {
    const payer = payerAt(stack.gateways[0])
    await payer.fault({ fault: 'delay', ms: 600, on: 'reserve' })
    const answer = payer.call()
    await payer.reaches('accepted')

    expect(await other(payer).call()).toBe('transaction_id_reused')

    expect(await answer).toBe('approved')
    expect(await payer.books('approved')).toEqual(CHARGED)
  })

  it('C40: while PayConex is at work on the first is refused', async () => {
    const payer = payerAt(stack.gateways[0])
    await payer.fault({ fault: 'delay', ms: 600 })
    const answer = payer.call()
    await payer.reaches('sending')

    expect(await other(payer).call()).toBe('transaction_id_reused')

    expect(await answer).toBe('approved')
    expect(await payer.books('approved')).toEqual(CHARGED)
  })

  it('C40: after the first was approved is refused, another card as well as another amount', async () => {
    const payer = payerAt(stack.gateways[0])
    await payer.call()
    const otherCard = crowd.again(stack.gateways[1], payer, { cardnumber: '5555555555554444' })

    expect(await other(payer).call()).toBe('transaction_id_reused')
    expect(await otherCard.call()).toBe('transaction_id_reused')

    expect(await payer.books('approved')).toEqual(CHARGED)
  })

  it('C40: while it is not known what became of the first is refused, and proven absence makes it a new attempt', async () => {
    const payer = payerAt(stack.gateways[0])
    await payer.fault({ fault: 'hang' })
    expect(await payer.call()).toBe('unconfirmed')

    expect(await other(payer).call()).toBe('transaction_id_reused')

    await payer.prove()
    expect(await payer.books('not_sent')).toEqual({ ...NOT_SENT, heard: 'unconfirmed' })
    const better = other(payer)
    await better.call()
    expect(await better.books('approved')).toEqual(CHARGED)
  })

  it('C40: after a decline is a new attempt, the one approval of this id', async () => {
    const payer = payerAt(stack.gateways[0], { ...visaCharge(), amount: '1.01' })
    expect(await payer.call()).toBe('30002')

    const better = other(payer)
    await better.call()

    expect(await better.books('approved')).toEqual(CHARGED)
    expect(await payer.call()).toBe('transaction_id_reused')
  })

  it('C40: after nothing was sent is a new attempt', async () => {
    const payer = payerAt(stack.gateways[0])
    // The worker asks for an id for 0.5 s at a time, and no longer than SEND_BY.
    await payer.fault({ fault: 'hang', on: 'reserve', next: 5 })
    expect(await payer.call()).toBe('not_processed')

    const better = other(payer)
    await better.call()

    expect(await better.books('approved')).toEqual(CHARGED)
  })
})

describe('a caller who hangs up', () => {
  it('C38: before a worker was free for him: his payment is withdrawn, and nothing is sent', async () => {
    const payer = payerAt(stack.gateways[0])
    stack.workers[0]?.kill('SIGSTOP')
    const hungUp = payer.tryOnce()
    await payer.reaches('accepted')
    expect(await hungUp).toBe('silence')

    await sleep(400)
    stack.workers[0]?.kill('SIGCONT')

    expect(await payer.books('not_sent')).toEqual({ ...NOT_SENT, heard: 'silence' })
    expect(await payer.sends()).toEqual([])
    await payer.call()
    expect(await payer.books('approved')).toEqual(CHARGED)
  })
})

/** Announces a body of so many bytes, sends some of them and is gone. */
function sayAndLeave(gateway: Gateway | undefined, part: string, length: number): Promise<void> {
  const { hostname, port, pathname } = new URL(gateway?.endpoint ?? '')
  const key = Buffer.from(`${ACCOUNT}:${ACCESS_KEY}`).toString('base64')
  const head = `POST ${pathname} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${key}\r\nContent-Length: ${length}\r\n\r\n`
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.end(head + part))
    socket.on('error', () => undefined).on('close', () => resolve())
    socket.resume()
  })
}
