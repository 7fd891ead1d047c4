import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { testTimes } from './testing.ts'
import { OWNER, openBench, type Payment } from './testing-payment.ts'

const url = inject('ledgerRedisUrl')
const blocking = new Redis(url)

afterAll(() => blocking.disconnect())

/** What WAITAOF says, in the place of the server: how many disks here and of replicas have it; and how often it was asked. The
 * scripts themselves run on the server at hand, which need not know the command. */
async function withReplicas(replicas: number, answer: [here: number, replicas: number] | Error) {
  const asked: unknown[][] = []
  const waiting = Object.assign(Object.create(blocking) as Redis, {
    call: async (...args: unknown[]) => {
      asked.push(args)
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  const bench = await openBench(url, { durable: { redis: waiting, replicas, withinMs: 50 } })
  return { ...bench, asked }
}

type Permission = [
  name: string,
  given: (payment: Payment, pass: (ms: number) => void, proven: Payment) => Promise<unknown>,
  ask: (payment: Payment) => Promise<{ verdict: string } | undefined>,
  verdict: string,
]

const PERMISSIONS: Permission[] = [
  ['fence', (payment) => payment.reach('accepted'), (payment) => payment.fence(), 'fenced'],
  [
    'repeat',
    async (payment, pass, proven) => {
      await proven.reach('approved')
      await payment.reach('sending')
      pass(testTimes.repeatAfterMs)
    },
    (payment) => payment.repeat(),
    'permitted',
  ],
  [
    'reverse',
    async (payment, pass) => {
      await payment.reach('approved')
      pass(testTimes.listeningMs)
    },
    (payment) => payment.reverse(),
    'reversing',
  ],
]

describe.each(PERMISSIONS)('a permission to send (%s) of a ledger whose replicas must acknowledge', (...permission) => {
  const [, given, ask, verdict] = permission

  /** Everything before the permission is acknowledged by whoever must. */
  async function asking(answer: [number, number] | Error) {
    const bench = await withReplicas(2, answer)
    const undemanding = await openBench(url, { shard: bench.shard, now: () => bench.clock.ms })
    const payment = undemanding.payment()
    await given(payment, bench.pass, undemanding.another({ account: payment.admission.account }))
    const { ledger } = bench
    const here: Payment = {
      ...payment,
      fence: () => ledger.fence(payment.first, { owner: OWNER, reserved: '000000000001' }),
      repeat: () => ledger.repeat(payment.first, OWNER),
      reverse: () => ledger.reverse(payment.first, { owner: OWNER, reversal: '000000000009' }),
    }
    return { asked: bench.asked, ask: () => ask(here) }
  }

  it('is given when enough of them have it on their disks', async () => {
    const { ask, asked } = await asking([1, 2])

    expect((await ask())?.verdict).toBe(verdict)

    expect(asked).toEqual([['WAITAOF', 1, 2, 50]])
  })

  it.each<[string, [number, number]]>([
    ['too few of them have', [1, 1]],
    ['this server itself has not', [0, 2]],
  ])('is refused when %s', async (_, answer) => {
    const { ask } = await asking(answer)

    expect((await ask())?.verdict).toBe('refused')
  })

  it('is refused by an error when nobody can say', async () => {
    const { ask } = await asking(new Error('the connection was lost'))

    await expect(ask()).rejects.toThrow('the connection was lost')
  })
})

describe('a permission that the ledger itself refuses', () => {
  it('is asked of no replica', async () => {
    const { payment, asked, close } = await withReplicas(2, new Error('unknown command'))
    const withdrawn = payment()
    await withdrawn.reach('not_sent')

    const replies = [await withdrawn.fence(), await withdrawn.repeat(), await withdrawn.reverse()]

    expect(replies.map((reply) => reply?.verdict)).toEqual(['refused', 'refused', 'refused'])
    expect(asked).toEqual([])
    close()
  })
})

describe('this server, whichever it is', () => {
  const knowsWaitaof = async () => Boolean(((await blocking.command('INFO', 'WAITAOF')) as unknown[])[0])

  /** Without replicas of its own. */
  async function fenced(replicas: number) {
    const bench = await openBench(url, { durable: { redis: blocking, replicas, withinMs: 50 } })
    const payment = bench.payment()
    await payment.admit()
    const verdict = await payment.fence().then(
      (reply) => reply?.verdict,
      (error: Error) => error.message.toLowerCase(),
    )
    bench.close()
    return verdict
  }

  it('gives a permission that no replica must acknowledge once it is on its own disk, if it knows WAITAOF', async () => {
    const expected = (await knowsWaitaof()) ? 'fenced' : expect.stringContaining('unknown command')

    expect(await fenced(0)).toEqual(expected)
  })

  it('gives none that a replica must acknowledge, for it has none', async () => {
    const expected = (await knowsWaitaof()) ? 'refused' : expect.stringContaining('unknown command')

    expect(await fenced(1)).toEqual(expected)
  })
})
