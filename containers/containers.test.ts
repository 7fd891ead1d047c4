import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, visaCharge } from '../e2e/caller.ts'
import { witness } from '../e2e/simulator.ts'
import { startCallers, untrue, wrong } from './callers.ts'
import { type Composed, composeUp } from './compose.ts'
import { docker, NODE_IMAGE } from './engine.ts'

/* The images, run as their users run them: docker-compose.yml with a stack of its own. What callers hear is compared with the
 * books of the simulator, which is never restarted. */

let stack: Composed

beforeAll(async () => {
  stack = await composeUp()
  // So that payments are under way whenever something ends.
  await witness(stack.simulator).settings({ minDelayMs: 200, maxDelayMs: 600 })
}, 300_000)

afterAll(() => stack?.down())

const LOAD = { everyMs: 250 }

describe('the image', () => {
  it('is smaller than the one it is made from', async () => {
    expect(await sizeOf(stack.image)).toBeLessThan(await sizeOf(NODE_IMAGE))
  })

  it('runs as nobody in particular, on a file system that it cannot change', async () => {
    const tried = 'id -u; touch /app/x /tmp/x 2>&1; grep -h CapEff /proc/1/status /proc/self/status'
    const { output } = await stack.exec('gateway-1', 'sh', '-c', tried)

    expect(output.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))).toEqual([
      '1000',
      ...['/app/x', '/tmp/x'].map((file) => `touch: cannot touch '${file}': Read-only file system`),
      ...['CapEff: 0000000000000000', 'CapEff: 0000000000000000'],
      '',
    ])
  })
})

describe('a payment through the proxy', () => {
  it('is charged, and a repeat hears the same', async () => {
    const body = visaCharge()

    const first = await post(stack.endpoint, body)
    const repeat = await post(stack.endpoint, body)

    expect(first).toMatchObject({ status: 200, body: { charge_id: expect.any(String), error_code: null } })
    expect(repeat).toEqual(first)
    expect((await witness(stack.simulator).books(body.transaction_id)).transactions).toHaveLength(1)
  })
})

describe('under load', () => {
  it('workers and gateways come and go, and every caller is charged once and hears it', {
    timeout: 300_000,
  }, async () => {
    const callers = startCallers(stack.endpoint, LOAD)

    for (const count of [4, 1]) {
      await stack.scale('worker', count)
      await callers.more(8)
    }
    for (const count of [3, 1]) {
      await stack.scale('gateway', count)
      await callers.more(8)
    }
    const calls = await callers.stop()

    expect(wrong(calls)).toEqual([])
    expect(await untrue(calls, stack.simulator)).toEqual([])
  })

  it('every service is renewed, one container after the other, and no caller notices', {
    timeout: 300_000,
  }, async () => {
    const callers = startCallers(stack.endpoint, LOAD)
    await callers.more(5)

    await stack.scale('worker', 2)
    await stack.scale('gateway', 2)
    const ended = [...(await stack.renew('gateway')), ...(await stack.renew('worker'))]
    await stack.signal('proxy', 'SIGUSR2')
    await callers.more(8)
    await stack.restart('ledger')
    await callers.more(8)
    const calls = await callers.stop()

    // Asked to end, each ended by itself.
    expect(ended).toEqual([0, 0, 0, 0])
    expect(wrong(calls)).toEqual([])
    expect(await untrue(calls, stack.simulator)).toEqual([])
  })

  it('a queue that is started anew, and forgets everything, costs nobody a payment', { timeout: 300_000 }, async () => {
    const callers = startCallers(stack.endpoint, LOAD)
    await callers.more(5)

    await stack.restart('queue')
    await callers.more(8)
    const calls = await callers.stop()

    // Who begins to pay while it is away waits for it. What lay on it is queued again at the next try.
    expect(wrong(calls)).toEqual([])
    expect(await untrue(calls, stack.simulator)).toEqual([])
  })
})

const sizeOf = async (image: string) => Number(await docker('image', 'inspect', '--format', '{{.Size}}', image))
