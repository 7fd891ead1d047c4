import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { type AuditLine, auditTrail } from './audit-trail.ts'
import { type Look, lateApprovals, lookAt, openPayments } from './look.ts'
import { testTimes } from './testing.ts'
import { ENTRY, openBench, RESERVED } from './testing-payment.ts'

/** What people see. */
const bench = await openBench(inject('ledgerRedisUrl'))
const place = { redis: bench.redis, shard: bench.shard }

beforeEach(() => bench.redis.del(bench.key('open'), bench.key('late'), bench.key('audit')))

afterAll(bench.close)

describe('one payment', () => {
  it('is told as the ledger’s own script tells it, with when it is due and how many wait', async () => {
    const payment = bench.another()
    await payment.reach('accepted')
    await payment.admit({ seat: 'g1:2' })

    const look = await lookAt(place, payment.key)

    const record = { ...(await payment.record()), now: look?.record.now }
    expect(look).toEqual({ record, dueAt: bench.clock.ms + testTimes.sendByMs, waiting: 2 })
  })

  it('that is over says when it is forgotten, and since when it is on the list', async () => {
    const payment = bench.another()
    await payment.reach('approved')
    await payment.keep()

    const look = await lookAt(place, payment.key)

    expect(look).toMatchObject({ waiting: 0, lateAt: bench.clock.ms })
    expect(look).not.toHaveProperty('dueAt')
    // The server forgets by its own clock.
    const left = (look?.forgottenAt ?? 0) - (look?.record.now ?? 0)
    expect(left).toBeGreaterThan(testTimes.retentionMs / 2)
    expect(left).toBeLessThanOrEqual(testTimes.retentionMs)
  })

  it('that is not there is undefined', async () => {
    expect(await lookAt(place, 'p_nobody')).toBeUndefined()
  })
})

describe('the payments that are not over', () => {
  const open = async (): Promise<Look[]> => {
    const looks: Look[] = []
    for await (const look of openPayments(place)) looks.push(look)
    return looks
  }

  it('are told with when they are due; none that is over, and none that is not there', async () => {
    const [waits, over] = [bench.another(), bench.another()]
    await waits.reach('unconfirmed')
    await over.reach('declined')
    await bench.redis.zadd(bench.key('open'), 1, 'p_nobody')

    const looks = await open()

    expect(looks.map(({ record, dueAt }) => [record.key, record.state, dueAt])).toEqual([
      [waits.key, 'unconfirmed', await waits.dueAt()],
    ])
  })

  it('are told all, however many they are', async () => {
    const payments = Array.from({ length: 1200 }, () => bench.another())
    await Promise.all(payments.map(({ admit }) => admit()))

    expect(new Set((await open()).map(({ record }) => record.key)).size).toBe(payments.length)
  })
})

describe('the list of late approvals', () => {
  it('has those of which nobody has heard since, the oldest first', async () => {
    const [one, heard, two] = [bench.another(), bench.another(), bench.another()]
    for (const payment of [one, heard, two]) {
      await payment.reach('approved')
      await payment.keep()
      bench.pass(10)
    }
    await heard.admit({ seat: 'g1:2' })

    const listed = await lateApprovals(place)

    expect(listed.map(({ look }) => look.record.key)).toEqual([one.key, two.key])
    expect(listed[0]?.at).toBeLessThan(listed[1]?.at ?? 0)
  })
})

describe('the audit trail', () => {
  const trail = async (since?: number): Promise<AuditLine[]> => {
    const lines: AuditLine[] = []
    for await (const line of auditTrail(place, since)) lines.push(line)
    return lines
  }

  it('says who did what to which payment, when and why', async () => {
    const payment = bench.another()
    await payment.reach('review')

    await payment.resolve({ state: 'approved', id: RESERVED }, { entry: { ...ENTRY, id: RESERVED } })

    const act = { by: 'ann', what: 'resolve', reason: 'seen in the console', payconexId: RESERVED }
    const said = { at: bench.clock.ms, payment: payment.key, attempt: 1, from: 'review', to: 'approved', ...act }
    expect(await trail()).toEqual([{ id: expect.stringMatching(/^\d+-\d+$/), ...said }])
  })

  it('is told whole, page by page, and since a time', async () => {
    const pipeline = bench.redis.pipeline()
    for (let nth = 0; nth < 2500; nth += 1) pipeline.xadd(bench.key('audit'), `${1000 + nth}-1`, 'payment', `p_${nth}`)
    await pipeline.exec()

    expect((await trail()).map(({ payment }) => payment)).toEqual(Array.from({ length: 2500 }, (_, nth) => `p_${nth}`))
    expect(await trail(1000 + 2490)).toHaveLength(10)
  })
})
