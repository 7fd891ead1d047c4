import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway, Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { ACCESS_KEY, ACCOUNT, type Body, post, visaCharge } from './caller.ts'
import { createCrowd } from './redis-crowd.ts'
import { witness } from './simulator.ts'

// Nothing here waits for a deadline, so times are the real ones.
const TIME_SCALE = 1

let stack: Stack
let payconex: ReturnType<typeof witness>
let crowd: ReturnType<typeof createCrowd>

beforeAll(async () => {
  stack = await startTestStack({ gateways: 2, workers: 1 })
  payconex = witness(stack.simulator?.url ?? '')
  crowd = createCrowd(stack, TIME_SCALE)
})

afterAll(async () => {
  crowd?.close()
  await stack?.stop()
})

const once = { charged: 1, returned: 0, ledger: 'approved', heard: 'approved' }
const many = <Item>(count: number, make: (nth: number) => Item) => Array.from({ length: count }, (_, nth) => make(nth))

describe('one id', () => {
  it('C39: asked for twice at once, at two gateways, a hundred times: each is charged once, and both hear the same', async () => {
    const bodies = many(100, () => visaCharge())

    const answers = await Promise.all(
      bodies.map((body) => Promise.all(stack.gateways.map(({ endpoint }) => post(endpoint, body)))),
    )

    const { transactions, duplicates } = await payconex.books()
    const idOf = new Map(transactions.map(({ custom_id, transaction_id }) => [custom_id, transaction_id]))
    const charges = bodies.map(({ transaction_id }) => idOf.get(String(transaction_id)))
    expect(duplicates).toEqual([])
    expect(new Set(charges).size).toBe(100)
    expect(answers.map(([first]) => first?.body.charge_id)).toEqual(charges)
    expect(answers.map(([, second]) => second?.body.charge_id)).toEqual(charges)
  })

  it('C41: of two accounts is two payments, which know nothing of each other', async () => {
    const [gateway, other] = stack.gateways
    const one = crowd.payerAt(gateway)
    const two = crowd.payerAt(other, { ...one.body, amount: '11.00' })

    await Promise.all([one.call(), two.call()])

    expect(await one.books('approved')).toEqual(once)
    expect(await two.books('approved')).toEqual(once)
  })
})

describe('the door', () => {
  it.concurrent('C45: closes on whoever sends his request too slowly, and serves the others meanwhile', async () => {
    const begun = performance.now()
    const trickle = openLine(stack.gateways[0])
    trickle.say('POST /api/v4/payments/twilio-bridge HTTP/1.1\r\nHost: x\r\n')
    const dripping = setInterval(() => trickle.say('X-Drop: 1\r\n'), 500)

    const meanwhile = await post(stack.gateways[0]?.endpoint ?? '', visaCharge())
    await trickle.closed
    clearInterval(dripping)

    expect(meanwhile.body.error_code).toBeNull()
    expect(performance.now() - begun).toBeLessThan(12_000)
  })

  it.concurrent('C45: answers requests that come down one pipe in the order they were asked', async () => {
    const bodies = [visaCharge(), { ...visaCharge(), amount: '1.01' }, visaCharge()]
    const line = openLine(stack.gateways[1])

    line.say(bodies.map((body, nth) => asHttp(body, nth === 2)).join(''))

    const codes = [...(await line.closed).matchAll(/"error_code":("\d+"|null)/g)].map(([, code]) => code)
    expect(codes).toEqual(['null', '"30002"', 'null'])
  })

  it.concurrent.each([
    ['__proto__', '{"__proto__":{"method":"charge","amount":"10.00"},"transaction_id":"C45-p"}'],
    ['constructor', '{"constructor":{"prototype":{"method":"charge"}},"transaction_id":"C45-c"}'],
  ])('C45: takes %s for a name like any other', async (_, text) => {
    const answer = await post(stack.gateways[0]?.endpoint ?? '', text)

    expect(answer).toMatchObject({ status: 200, body: { error_code: 'invalid_request' } })
  })

  it.concurrent('C45: says no to a thousand guesses at the form of credentials, and goes on serving', async () => {
    const guess = (nth: number) => post(stack.gateways[nth % 2]?.endpoint ?? '', visaCharge(), { user: `guess ${nth}` })

    const answers = await Promise.all(many(1000, guess))

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    expect((await post(stack.gateways[0]?.endpoint ?? '', visaCharge())).body.error_code).toBeNull()
  })
})

describe('an update', () => {
  it('C42: restarts every gateway and worker under load, and no caller notices', async () => {
    const load = startLoad(() => stack.gateways.filter((gateway) => !leaving.has(gateway)))
    const leaving = new Set<Gateway>()
    await sleep(500)

    const ends: unknown[] = []
    const replaceWorkers = async () => {
      for (const worker of [...stack.workers]) {
        await stack.addWorker()
        ends.push(await worker.stop())
      }
    }
    const replaceGateways = async () => {
      for (const gateway of [...stack.gateways]) {
        await stack.addGateway()
        leaving.add(gateway)
        ends.push(await gateway.stop())
      }
    }
    await Promise.all([replaceWorkers(), replaceGateways()])
    const calls = await load.end()

    expect(ends).toEqual(ends.map(() => ({ code: 0, signal: null })))
    const wrong = calls.filter(({ answer }) => answer?.error_code !== null)
    expect(wrong).toEqual([])
    expect(calls.length).toBeGreaterThan(20)
    const { transactions, duplicates } = await payconex.books()
    const charged = transactions.filter(({ custom_id }) => calls.some(({ id }) => id === custom_id))
    expect(duplicates).toEqual([])
    expect(charged.map(({ transaction_id }) => transaction_id).sort()).toEqual(
      calls.map(({ answer }) => answer?.charge_id).sort(),
    )
  })
})

/** New payments all the time, each one try at whichever gateway a load balancer would choose. */
function startLoad(gateways: () => readonly Gateway[]) {
  const calls: Promise<{ id: unknown; answer: Record<string, string | null> | undefined }>[] = []
  const begin = () => {
    const open = gateways()
    const { endpoint = '' } = open[calls.length % open.length] ?? {}
    const body = visaCharge()
    const answer = post(endpoint, body).then(
      (answered) => answered.body,
      () => undefined,
    )
    calls.push(answer.then((told) => ({ id: body.transaction_id, answer: told })))
  }
  const timer = setInterval(begin, 50)
  return {
    end: () => {
      clearInterval(timer)
      return Promise.all(calls)
    },
  }
}

function asHttp(body: Body, isLast: boolean): string {
  const text = JSON.stringify(body)
  const head = [
    'POST /api/v4/payments/twilio-bridge HTTP/1.1',
    'Host: x',
    `Authorization: Basic ${Buffer.from(`${ACCOUNT}:${ACCESS_KEY}`).toString('base64')}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...(isLast ? ['Connection: close'] : []),
  ]
  return `${head.join('\r\n')}\r\n\r\n${text}`
}

/** A bare connection: what it hears until it is closed. */
function openLine(gateway: Gateway | undefined) {
  const { hostname, port } = new URL(gateway?.url ?? '')
  const socket = connect(Number(port), hostname)
  const closed = new Promise<string>((resolve) => {
    let heard = ''
    socket.on('data', (data) => (heard += data))
    socket.on('error', () => undefined).on('close', () => resolve(heard))
  })
  return { say: (text: string) => void (socket.writable && socket.write(text)), closed }
}
