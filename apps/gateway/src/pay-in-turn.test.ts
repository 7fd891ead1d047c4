import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createIdentity, type PaymentRecord } from '@pay/ledger'
import { parsePayRequest, Secret } from '@pay/mapper'
import { sealKeys, type Weather } from '@pay/payment-queue'
import { createTimes, systemClock } from '@pay/service'
import { describe, expect, it } from 'vitest'
import { createLanes } from './lanes.ts'
import type { Misuse } from './misuse.ts'
import { createPay, type PayDeps } from './pay.ts'
import { ACCESS_KEY, ACCOUNT, noMisuse, recordingLog, recordOf, visaCharge } from './testing.ts'
import { createWaitingRoom } from './waiting-room.ts'

/** Which payments are taken and when they are put on the queue; the rest of `pay` is shown in pay.integration.test.ts. */

const times = createTimes({
  TRY_TIMEOUT_MS: 10_000,
  TRIES: 6,
  SEND_BY_MS: 22_000,
  ANSWER_BY_MS: 55_000,
  PAYCONEX_TIMEOUT_MS: 30_000,
  REPEAT_AFTER_MS: 8_000,
  ABSENCE_MARGIN_MS: 600_000,
  LEDGER_RETENTION_DAYS: 7,
  TIME_SCALE: 0.01,
})

const fair: Weather = {
  gateways: 1,
  workers: 1,
  concurrency: 1,
  busy: 0,
  meanServiceMs: 1,
  allCircuitsOpen: false,
  waitingJobs: 0,
}
const stormy: Weather = { ...fair, allCircuitsOpen: true }

type Options = {
  /** The fingerprint of the request that the record speaks of, if it is another. */
  others?: string
  misuse?: Misuse
  weather?: Weather
  verdict?: 'new' | 'join' | 'replay'
  state?: PaymentRecord['state']
  maxWaiting?: number
}

/** `pay` with books and a queue in memory. */
function start({
  others,
  misuse = noMisuse(),
  weather = fair,
  verdict = 'new',
  state = 'accepted',
  maxWaiting = 100,
}: Options = {}) {
  const queued: string[] = []
  const withdrawn: string[] = []
  const refused: string[] = []
  const world = {
    isQueueAway: false,
    isLedgerAway: false,
    awayForMs: Number.POSITIVE_INFINITY,
    error: new Error('away'),
    asked: 0,
    onAsked: () => {},
  }
  const admitted = new Map<string, PaymentRecord>()
  const ledger = {
    admit: async ({ key, fingerprint, account }: { key: string; fingerprint: string; account: string }) => {
      const record = admitted.get(key) ?? recordOf({ key, fingerprint: others ?? fingerprint, account, state })
      admitted.set(key, record)
      return { verdict, record, rest: [] }
    },
    withdraw: async ({ key }: { key: string }) => {
      if (world.isLedgerAway) throw new Error('away')
      withdrawn.push(key)
      return { verdict: 'withdrawn', record: { ...admitted.get(key), state: 'not_sent' }, rest: [] }
    },
    leave: async () => undefined,
    read: async (key: string) => admitted.get(key),
  } as unknown as PayDeps['ledger']
  const producer = {
    add: async ({ key }: { key: string }) => {
      world.asked += 1
      world.onAsked()
      if (world.isQueueAway) throw world.error
      queued.push(key)
    },
    awayForMs: () => world.awayForMs,
    shred: async () => undefined,
    shredAgain: async () => undefined,
  } as unknown as PayDeps['producer']
  const clock = systemClock
  const room = createWaitingRoom({ rereadMs: 1000, readMany: async () => [], gateway: 'g', clock })
  const lanes = createLanes({ capacity: () => weather, lingerMs: times.abandonedMs, clock })
  const pay = createPay({
    ledger,
    producer,
    room,
    lanes,
    weather: { sky: () => ({ weather, noWorkerForMs: 0, queuedSince: 0 }), queued: () => undefined },
    misuse,
    metrics: { admitted: () => undefined, refused: (reason) => void refused.push(reason) },
    identity: createIdentity(randomBytes(32)),
    sealKeys: sealKeys.parse(`k1:${randomBytes(32).toString('base64')}`),
    times,
    maxWaiting,
    firstSeen: (_key, arrivedAt) => arrivedAt,
    clock,
    log: recordingLog().log,
  })
  const call = (transaction_id: string) => {
    const body = { ...visaCharge, transaction_id }
    const parsed = parsePayRequest(body, { currencies: ['USD'] })
    if (!parsed.ok) throw new Error(`refused: ${parsed.field}`)
    const hangUp = new AbortController()
    const credentials = { accountId: ACCOUNT, accessKey: new Secret(ACCESS_KEY) }
    const answer = pay({ request: parsed.request, body, credentials, hungUp: hangUp.signal })
    return { answer, hangUp: () => hangUp.abort() }
  }
  /** The payment that was queued as the n-th is approved. */
  const approve = (nth: number) => {
    const record = admitted.get(queued[nth] ?? '')
    if (record) room.tell({ ...record, state: 'approved', id: '000000012345', now: record.now + 1 })
  }
  return { call, approve, queued, withdrawn, refused, world, lanes }
}

describe('a payment that looks like misuse', () => {
  it.each(['bad credentials', 'card testing'] as const)(
    '(%s) is withdrawn and refused, and nothing of it is queued',
    async (reason) => {
      const { call, queued, withdrawn, refused } = start({ misuse: { suspect: () => reason, heard: () => undefined } })

      expect(await call('tx-1').answer).toEqual({ kind: 'not_processed' })
      expect(withdrawn).toHaveLength(1)
      expect(queued).toEqual([])
      expect(refused).toEqual([reason])
    },
  )

  it('is not refused when another try began it: its outcome is waited for', async () => {
    const misuse = { suspect: () => 'card testing' as const, heard: () => undefined }
    const { call, approve, withdrawn, refused } = start({ misuse, verdict: 'join' })
    const { answer } = call('tx-1')
    await sleep(20)

    approve(0)

    expect(await answer).toMatchObject({ kind: 'approved' })
    expect([withdrawn, refused]).toEqual([[], []])
  })

  it('is replayed its outcome like any other', async () => {
    const misuse = { suspect: () => 'card testing' as const, heard: () => undefined }
    const { call } = start({ misuse, verdict: 'replay', state: 'unconfirmed' })

    expect(await call('tx-1').answer).toEqual({ kind: 'unconfirmed' })
  })

  it('is not known by an outcome that belongs to another request under the same id', async () => {
    const heard: string[] = []
    const hear: Misuse['heard'] = (_, { state }) => void heard.push(state)
    const misuse = { suspect: () => undefined, heard: hear }
    const replay = { misuse, verdict: 'replay', state: 'declined' } as const

    await start({ ...replay, others: '1.other' }).call('tx-1').answer
    expect(heard).toEqual([])
    await start(replay).call('tx-1').answer
    expect(heard).toEqual(['declined'])
  })

  it('is known by what was heard of payments: each outcome is, with who asked for it', async () => {
    const heard: [string, string][] = []
    const hear: Misuse['heard'] = ({ credentials }, { state }) => void heard.push([credentials.accountId, state])
    const { call, approve } = start({ misuse: { suspect: () => undefined, heard: hear } })
    const { answer } = call('tx-1')
    await sleep(20)

    approve(0)
    await answer

    expect(heard).toEqual([[ACCOUNT, 'approved']])
  })
})

describe('a payment that nothing can be done for', () => {
  it('is withdrawn and refused at once, and nothing of it is queued', async () => {
    const { call, queued, withdrawn, refused } = start({ weather: stormy })

    expect(await call('tx-1').answer).toEqual({ kind: 'not_processed' })
    expect(withdrawn).toHaveLength(1)
    expect(queued).toEqual([])
    expect(refused).toEqual(['circuit open'])
  })

  it('is not refused when others began it', async () => {
    const { call, queued, withdrawn, approve } = start({ weather: stormy, verdict: 'join' })

    const { answer } = call('tx-1')
    await expect.poll(() => queued).toHaveLength(1)
    approve(0)

    expect(await answer).toMatchObject({ kind: 'approved' })
    expect(withdrawn).toEqual([])
  })

  it('hears nothing untrue when the ledger does not acknowledge that it was withdrawn', async () => {
    const { call, queued, refused, world } = start({ weather: stormy })
    world.isLedgerAway = true

    const { answer, hangUp } = call('tx-1')
    await sleep(20)
    hangUp()

    expect(await answer).toBeUndefined()
    expect(queued).toEqual([])
    expect(refused).toEqual([])
  })

  it('because the house is full is counted by that name', async () => {
    const { call, refused } = start({ maxWaiting: 0 })

    expect(await call('tx-1').answer).toEqual({ kind: 'not_processed' })
    expect(refused).toEqual(['full'])
  })
})

describe('a payment in its lane', () => {
  it('is queued when one before it has ended', async () => {
    const { call, queued, approve } = start()
    const [first, second] = [call('tx-1'), call('tx-2')]
    await expect.poll(() => queued).toHaveLength(1)
    await sleep(20)
    expect(queued).toHaveLength(1)

    approve(0)
    expect(await first.answer).toMatchObject({ kind: 'approved' })
    await expect.poll(() => queued).toHaveLength(2)
    approve(1)

    expect(await second.answer).toMatchObject({ kind: 'approved' })
  })

  it('whose caller hangs up first is never queued', async () => {
    const { call, queued, approve } = start()
    const first = call('tx-1')
    const second = call('tx-2')
    await expect.poll(() => queued).toHaveLength(1)

    second.hangUp()
    expect(await second.answer).toBeUndefined()
    approve(0)
    await first.answer
    await sleep(times.abandonedMs + 20)

    expect(queued).toHaveLength(1)
  })

  it('whose turn does not come is refused at SEND_BY', async () => {
    const { call, queued, withdrawn, lanes } = start()
    const another = lanes.enter(ACCOUNT, 'another')

    expect(await call('tx-1').answer).toEqual({ kind: 'not_processed' })
    expect(withdrawn).toHaveLength(1)
    expect(queued).toEqual([])
    another.leave()
    expect(lanes.size()).toBe(0)
  })

  it('that is under way already is not queued again, and takes its place', async () => {
    const { call, queued, lanes } = start({ verdict: 'join', state: 'sending' })

    const { answer, hangUp } = call('tx-1')
    await expect.poll(() => lanes.size()).toBe(1)
    expect(lanes.look(ACCOUNT)).toMatchObject({ waiting: 0 })
    hangUp()
    await answer

    expect(queued).toEqual([])
    await expect.poll(() => lanes.size()).toBe(0)
  })

  it('which the queue does not take is refused', async () => {
    const { call, withdrawn, refused, world, lanes } = start()
    world.isQueueAway = true

    expect(await call('tx-1').answer).toEqual({ kind: 'not_processed' })
    expect(withdrawn).toHaveLength(1)
    expect(refused).toEqual(['queue'])
    expect(lanes.size()).toBe(0)
    expect(world.asked).toBe(1)
  })
})

describe('a queue that was there a moment ago', () => {
  const justThere = () => {
    const started = start()
    Object.assign(started.world, { isQueueAway: true, awayForMs: 0 })
    return started
  }

  it('takes the payment when it is back, once', async () => {
    const { call, queued, withdrawn, approve, world } = justThere()
    world.onAsked = () => {
      world.isQueueAway = world.asked < 3
    }

    const { answer } = call('tx-1')
    await expect.poll(() => queued).toHaveLength(1)
    approve(0)

    expect(await answer).toMatchObject({ kind: 'approved' })
    expect(withdrawn).toEqual([])
    expect(world.asked).toBe(3)
  })

  it('is waited for as long as it takes to start a server, counted from when it was lost', async () => {
    const { call, refused, world } = justThere()
    world.onAsked = () => {
      world.awayForMs = world.asked < 2 ? times.queuePatienceMs - 1 : times.queuePatienceMs
    }

    expect(await call('tx-1').answer).toEqual({ kind: 'not_processed' })
    expect(refused).toEqual(['queue'])
    expect(world.asked).toBe(2)
  })

  it('is not waited for longer by one who cannot reach it although others can', async () => {
    const { call, refused } = justThere()
    const startedAt = performance.now()
    await call('tx-1').answer
    const waitedMs = performance.now() - startedAt

    expect(refused).toEqual(['queue'])
    expect(waitedMs).toBeGreaterThanOrEqual(times.queuePatienceMs - times.queueRetryMs)
    expect(waitedMs).toBeLessThan(times.sendByMs)
  })

  it('is not asked again when it says no, as when it is full', async () => {
    const { call, refused, world } = justThere()
    world.error = Object.assign(new Error('OOM'), { name: 'ReplyError' })

    expect(await call('tx-1').answer).toEqual({ kind: 'not_processed' })
    expect(refused).toEqual(['queue'])
    expect(world.asked).toBe(1)
  })

  it('is not asked again for a caller who has hung up: the payment is withdrawn, and his next try begins it anew', async () => {
    const { call, withdrawn, queued, world } = justThere()
    world.onAsked = () => hangUp()
    const { answer, hangUp } = call('tx-1')

    expect(await answer).toBeUndefined()
    await expect.poll(() => withdrawn).toHaveLength(1)
    expect(world.asked).toBe(1)
    expect(queued).toEqual([])
  })
})
