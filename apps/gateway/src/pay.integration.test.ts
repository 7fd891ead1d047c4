import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createIdentity, createLedger, type Entry, openBook, openReplyChannel, type PaymentRecord } from '@pay/ledger'
import { parsePayRequest, Secret } from '@pay/mapper'
import {
  connectFailingFast,
  connectPatiently,
  createProducer,
  createSealedPayments,
  openPayment,
  sealKeys,
  whenReady,
} from '@pay/payment-queue'
import { createTimes, systemClock, type Times } from '@pay/service'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { FIELDS } from '../../../packages/ledger/src/testing.ts'
import { freePort } from '../../../scripts/process/free-port.ts'
import { startTestRedis } from '../../../scripts/test/servers.ts'
import { createFirstSeen } from './first-seen.ts'
import { createLanes } from './lanes.ts'
import { watchMisuse } from './misuse.ts'
import { createPay, type Pay, type PayDeps } from './pay.ts'
import { ACCESS_KEY, ACCOUNT, noMisuse, recordingLog, visaCharge } from './testing.ts'
import { createWaitingRoom } from './waiting-room.ts'

const timesAt = (TIME_SCALE: number) =>
  createTimes({
    TRY_TIMEOUT_MS: 10_000,
    TRIES: 6,
    SEND_BY_MS: 22_000,
    ANSWER_BY_MS: 55_000,
    PAYCONEX_TIMEOUT_MS: 30_000,
    REPEAT_AFTER_MS: 8_000,
    ABSENCE_MARGIN_MS: 600_000,
    LEDGER_RETENTION_DAYS: 7,
    TIME_SCALE,
  })

/** A fiftieth of the real times: SEND_BY 440 ms, ANSWER_BY 1100 ms, first rereading after 20 ms. */
const quick = timesAt(0.02)
/** SEND_BY 2.2 s, ANSWER_BY 5.5 s: time enough for a server to come back. */
const unhurried = timesAt(0.1)
const keys = sealKeys.parse(`k1:${randomBytes(32).toString('base64')}`)
const identity = createIdentity(randomBytes(32))
const APPROVAL = { state: 'approved', id: '000000012345' } as const
const approved = { kind: 'approved', transactionId: APPROVAL.id }
const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

type Place = { queueUrl: string; ledgerUrl: string; shard: string; times: Times }

/** Keys of its own on the shared servers, so that no test meets another's payments. */
const place = (changes: Partial<Place> = {}): Place => ({
  queueUrl: inject('queueRedisUrl'),
  ledgerUrl: inject('ledgerRedisUrl'),
  shard: randomUUID(),
  times: quick,
  ...changes,
})

async function connected(url: string) {
  const redis = connectFailingFast({ url })
  opened.push(() => redis.disconnect())
  await whenReady(redis, 500)
  return redis
}

async function ledgerAt({ ledgerUrl, shard, times }: Place) {
  const redis = await connected(ledgerUrl)
  const away = { identity: 'of a ledger that is away', fences: 0 }
  const book = await openBook({ redis, check: 'test', shard }).catch(() => away)
  return createLedger({ redis, book, times, shard })
}

type GatewayOptions = {
  hears?: boolean
  rereads?: boolean
  maxWaiting?: number
  /** What stands between the gateway and its ledger or queue. */
  through?: (deps: PayDeps) => Partial<PayDeps>
}

/** Nothing is known that would speak against a payment. */
const fairWeather: PayDeps['weather'] = {
  sky: () => ({ weather: undefined, noWorkerForMs: 0, queuedSince: 0 }),
  queued: () => undefined,
}

/** A gateway without its HTTP: it hears the reply channel and rereads, unless the test makes it deaf. */
async function openGateway(where: Place, options: GatewayOptions = {}) {
  const { hears = true, rereads = true, maxWaiting = 100, through = () => ({}) } = options
  const { times } = where
  const gateway = randomUUID()
  const clock = systemClock
  const { log, lines } = recordingLog()
  const ledger = await ledgerAt(where)
  const producer = createProducer(await connected(where.queueUrl), where.shard)
  opened.push(producer.close)
  const room = createWaitingRoom({ rereadMs: times.rereadMs, readMany: ledger.readMany, gateway, clock })
  if (hears) {
    const subscriber = connectPatiently({ url: where.ledgerUrl })
    opened.push(() => subscriber.disconnect())
    const onOpen = () => void room.rereadAll().catch(() => undefined)
    await openReplyChannel({ subscriber, gateway, onReply: room.tell, onOpen })
  }
  if (rereads) {
    const timer = setInterval(() => void room.rereadOverdue().catch(() => undefined), times.rereadMs)
    opened.push(() => clearInterval(timer))
  }
  const firstSeen = createFirstSeen({ now: clock.now, rememberMs: 2 * times.answerByMs })
  const deps: PayDeps = {
    ledger,
    producer,
    room,
    lanes: createLanes({ capacity: () => undefined, lingerMs: times.abandonedMs, clock }),
    weather: fairWeather,
    misuse: noMisuse(),
    metrics: { admitted: () => undefined, refused: () => undefined },
    identity,
    sealKeys: keys,
    times,
    maxWaiting,
    firstSeen,
    clock,
    log,
  }
  return { pay: createPay({ ...deps, ...through(deps) }), room, lines }
}

/** One payment as the caller repeats it: `id` names it, `changes` make it another request. */
function charge(changes: Record<string, unknown> = {}, id: string = randomUUID()) {
  const body = { ...visaCharge, transaction_id: id, ...changes }
  const parsed = parsePayRequest(body, { currencies: ['USD'] })
  if (!parsed.ok) throw new Error(`refused: ${parsed.field}`)
  const credentials = { accountId: ACCOUNT, accessKey: new Secret(ACCESS_KEY) }
  const caller = new AbortController()
  const key = identity.paymentKey({ accountId: ACCOUNT, ...parsed.request })
  const theTry = { request: parsed.request, body, credentials, hungUp: caller.signal }
  return { ...theTry, key, hangUp: () => caller.abort(), again: (others = {}) => charge({ ...changes, ...others }, id) }
}

/** A worker that does with a payment what the test says. */
async function openWorker(where: Place) {
  const ledger = await ledgerAt(where)
  const owner = 'w1.a'
  const fence = (key: string, attempt = 1) => ledger.fence({ key, attempt }, { owner, reserved: `${key}.${attempt}` })
  const finish = (key: string, entry: Entry, attempt = 1) => ledger.finish({ key, attempt }, owner, entry)
  const reaches = async (key: string, state: PaymentRecord['state'], attempt = 1) => {
    await expect.poll(() => ledger.read(key), { interval: 5 }).toMatchObject({ state, attempt })
  }
  /** Waits for the payment, then carries it out. */
  const settle = async (key: string, entry: Entry, attempt = 1) => {
    await reaches(key, 'accepted', attempt)
    expect((await fence(key, attempt))?.verdict).toBe('fenced')
    await finish(key, entry, attempt)
  }
  return { ledger, fence, finish, settle, reaches }
}

/** What the queue holds for a payment. */
async function openQueue(where: Place) {
  const redis = await connected(where.queueUrl)
  const sealed = createSealedPayments(redis, where.shard)
  const jobs = () => redis.lrange(`{${where.shard}}:payments:wait`, 0, -1)
  const ttl = (key: string) => redis.pttl(`{${where.shard}}:sealed:${key}.1`)
  return { jobs, ttl, take: (key: string, attempt = 1) => sealed.take({ key, attempt }) }
}

async function msOf(work: Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work
  return performance.now() - started
}

describe('a new payment', () => {
  it('is recorded as accepted, sealed for its attempt until ANSWER_BY, and queued', async () => {
    const where = place()
    const [{ pay }, worker, queue] = await Promise.all([openGateway(where), openWorker(where), openQueue(where)])
    const first = charge()

    const answer = pay(first)
    await expect.poll(queue.jobs).toEqual([`${first.key}.1`])

    expect(await worker.ledger.read(first.key)).toMatchObject({ state: 'accepted', attempt: 1, amount: '10.00' })
    const payment = openPayment((await queue.take(first.key)) ?? '', { key: first.key, attempt: 1 }, keys)
    expect(payment.request.transactionId).toBe(first.request.transactionId)
    expect(payment.credentials.accessKey.expose()).toBe(ACCESS_KEY)
    expect(await queue.ttl(first.key)).toBeGreaterThan(0)
    expect(await queue.ttl(first.key)).toBeLessThanOrEqual(quick.answerByMs)
    await worker.settle(first.key, APPROVAL)
    await answer
  })

  it.each<[string, Entry, object]>([
    ['an approval', APPROVAL, approved],
    [
      'a decline',
      { state: 'declined', code: '30002', message: 'DECLINED' },
      { kind: 'declined', code: '30002', message: 'DECLINED' },
    ],
    ['a payment that was never sent', { state: 'not_sent' }, { kind: 'not_processed' }],
    ['an unclear end', { state: 'unconfirmed', dueMs: 60_000 }, { kind: 'unconfirmed' }],
    ['a contradiction', { state: 'review' }, { kind: 'unconfirmed' }],
  ])('is answered as soon as the worker writes %s', async (_, entry, verdict) => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()

    const [answer] = await Promise.all([pay(first), worker.settle(first.key, entry)])

    expect(answer).toEqual(verdict)
  })

  it('leaves no card data, no access key and no name of the caller’s in the ledger or the log', async () => {
    const where = place()
    const [{ pay, lines }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    const redis = await connected(where.ledgerUrl)

    const answer = pay(first)
    await worker.reaches(first.key, 'accepted')
    const record = JSON.stringify(await redis.hgetall(`{${where.shard}}:payment:${first.key}`))
    await worker.settle(first.key, APPROVAL)
    await answer

    for (const text of [record, JSON.stringify(lines)]) {
      for (const secret of ['4111', ACCESS_KEY, 'Ann', 'Pizza', '94111']) expect(text).not.toContain(secret)
    }
  })
})

describe('the same request again', () => {
  it('joins a payment that is under way, on any gateway, and hears the same', async () => {
    const where = place()
    const [one, two, worker] = await Promise.all([openGateway(where), openGateway(where), openWorker(where)])
    const first = charge()

    const answers = [one.pay(first), one.pay(first.again()), two.pay(first.again())]
    await expect.poll(() => one.room.size() + two.room.size()).toBe(3)
    await worker.settle(first.key, APPROVAL)

    expect(await Promise.all(answers)).toEqual([approved, approved, approved])
    expect([one.room.size(), two.room.size()]).toEqual([0, 0])
  })

  it('joins a payment that is being sent without sealing its card again', async () => {
    const where = place()
    const [{ pay }, worker, queue] = await Promise.all([openGateway(where), openWorker(where), openQueue(where)])
    const first = charge()
    await worker.ledger.admit(admissionOf(first))
    await worker.fence(first.key)

    const answer = pay(first)
    await sleep(50)
    await worker.finish(first.key, APPROVAL)

    expect(await answer).toEqual(approved)
    expect(await queue.jobs()).toEqual([])
    expect(await queue.take(first.key)).toBeNull()
  })

  it('queues a payment again that its first gateway recorded and could not queue any more', async () => {
    const where = place()
    const [{ pay }, worker, queue] = await Promise.all([openGateway(where), openWorker(where), openQueue(where)])
    const first = charge()
    await worker.ledger.admit(admissionOf(first))

    const answer = pay(first)

    await expect.poll(queue.jobs).toEqual([`${first.key}.1`])
    await worker.settle(first.key, APPROVAL)
    expect(await answer).toEqual(approved)
  })

  it('replays the outcome at once, on any gateway, and queues nothing', async () => {
    const where = place()
    const [one, two, worker, queue] = await Promise.all([
      openGateway(where),
      openGateway(where),
      openWorker(where),
      openQueue(where),
    ])
    const first = charge()
    await Promise.all([one.pay(first), worker.settle(first.key, APPROVAL)])
    const jobsBefore = await queue.jobs()

    expect(await one.pay(first.again())).toEqual(approved)
    expect(await two.pay(first.again())).toEqual(approved)

    expect(await queue.jobs()).toEqual(jobsBefore)
  })

  it('hears the answer that was found after the payment was unconfirmed', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    await Promise.all([pay(first), worker.settle(first.key, { state: 'unconfirmed', dueMs: 60_000 })])

    await worker.finish(first.key, APPROVAL)

    expect(await pay(first.again())).toEqual(approved)
  })

  it('hears the same once a try of it was told that nothing was charged', async () => {
    const where = place()
    const [{ pay }, worker, queue] = await Promise.all([openGateway(where), openWorker(where), openQueue(where)])
    const first = charge()
    const [told] = await Promise.all([pay(first), worker.settle(first.key, { state: 'not_sent' })])

    expect(await pay(first.again())).toEqual(told)
    expect(await queue.jobs()).not.toContain(`${first.key}.2`)
  })

  it('is a new attempt once the first was never sent, and nobody was told', async () => {
    const where = place()
    const [{ pay }, worker, queue] = await Promise.all([openGateway(where), openWorker(where), openQueue(where)])
    const first = await hungUpAndNeverSent(pay, worker)

    const [answer] = await Promise.all([pay(first.again()), worker.settle(first.key, APPROVAL, 2)])

    expect(answer).toEqual(approved)
    expect(await queue.jobs()).toContain(`${first.key}.2`)
  })

  it('is the same request with another CVV, which takes part in nothing', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    await Promise.all([pay(first), worker.settle(first.key, APPROVAL)])

    expect(await pay(first.again({ cvv: '999' }))).toEqual(approved)
  })
})

describe('another request under the same id', () => {
  it('is refused while the first is under way or approved, and neither queued nor held', async () => {
    const where = place()
    const [{ pay, room }, worker, queue] = await Promise.all([openGateway(where), openWorker(where), openQueue(where)])
    const first = charge()
    const answer = pay(first)
    await expect.poll(queue.jobs).toHaveLength(1)

    expect(await pay(first.again({ amount: '99.00' }))).toEqual({ kind: 'transaction_id_reused' })
    expect(room.size()).toBe(1)
    await worker.settle(first.key, APPROVAL)
    expect(await answer).toEqual(approved)

    expect(await pay(first.again({ amount: '99.00' }))).toEqual({ kind: 'transaction_id_reused' })
    expect(await queue.jobs()).toHaveLength(1)
  })

  it('begins a new attempt after a decline', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    await Promise.all([pay(first), worker.settle(first.key, { state: 'declined', code: '30002', message: 'NO' })])

    const another = first.again({ cardnumber: '5555555555554444' })
    const [answer] = await Promise.all([pay(another), worker.settle(first.key, APPROVAL, 2)])

    expect(answer).toEqual(approved)
  })
})

describe('at its deadline', () => {
  it('a payment that no worker took is withdrawn at SEND_BY, and its sealed card is gone', async () => {
    const where = place()
    const [{ pay }, worker, queue] = await Promise.all([openGateway(where), openWorker(where), openQueue(where)])
    const first = charge()

    const started = performance.now()
    const answer = await pay(first)

    expect(answer).toEqual({ kind: 'not_processed' })
    expect(performance.now() - started).toBeGreaterThan(quick.sendByMs - 20)
    expect(await worker.ledger.read(first.key)).toMatchObject({ state: 'not_sent' })
    expect(await queue.take(first.key)).toBeNull()
    expect((await worker.fence(first.key))?.verdict).toBe('refused')
  })

  it('all tries of a payment are told at SEND_BY, whichever gateway withdrew it', async () => {
    const where = place()
    const [one, two] = await Promise.all([openGateway(where), openGateway(where)])
    const first = charge()

    const answers = await Promise.all([one.pay(first), two.pay(first.again()), two.pay(first.again())])

    expect(answers).toEqual([{ kind: 'not_processed' }, { kind: 'not_processed' }, { kind: 'not_processed' }])
  })

  it('a payment whose fence was passed at the last moment is held on, and told when it ends', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    const answer = pay(first)
    await worker.reaches(first.key, 'accepted')
    await worker.fence(first.key)

    await sleep(quick.sendByMs + 50)
    await worker.finish(first.key, APPROVAL)

    expect(await answer).toEqual(approved)
  })

  it('a payment that is still being sent at ANSWER_BY is unconfirmed', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    const started = performance.now()
    const answer = pay(first)
    await worker.reaches(first.key, 'accepted')
    await worker.fence(first.key)

    expect(await answer).toEqual({ kind: 'unconfirmed' })

    expect(performance.now() - started).toBeGreaterThan(quick.answerByMs - 20)
    expect(performance.now() - started).toBeLessThan(quick.answerByMs + 400)
    expect(await worker.ledger.read(first.key)).toMatchObject({ state: 'sending' })
  })

  it('a later try is answered when the first one’s time is up, not its own', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    await worker.ledger.admit(admissionOf(first))
    await worker.fence(first.key)
    await sleep(quick.answerByMs - 200)

    const waitedMs = await msOf(pay(first).then((answer) => expect(answer).toEqual({ kind: 'unconfirmed' })))

    expect(waitedMs).toBeLessThan(500)
  })
})

describe('a try that joins a payment that is being undone', () => {
  /** Approved, unheard, and nobody tries any more: it is as if its first try had come long ago. */
  async function undone(where: Place) {
    const [gateway, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const redis = await connected(where.ledgerUrl)
    const first = charge()
    const { seat } = admissionOf(first)
    await worker.ledger.admit(admissionOf(first))
    await worker.ledger.leave(first.key, seat)
    await worker.fence(first.key)
    await worker.finish(first.key, APPROVAL)
    await redis.hincrby(`{${where.shard}}:payment:${first.key}`, FIELDS.first, -2 * where.times.listeningMs)
    const reply = await worker.ledger.reverse(first, { owner: 'w1.a', reversal: '000000000009' })
    expect(reply?.verdict).toBe('reversing')
    return { ...gateway, ...worker, first }
  }

  it('waits, and hears that nothing was processed once that is done', async () => {
    const { pay, finish, first } = await undone(place())
    const held = pay(first)
    await sleep(100)

    await finish(first.key, { state: 'reversed' })

    expect(await held).toEqual({ kind: 'not_processed' })
  })

  it('hears `unconfirmed` when that takes longer than PayConex may take', async () => {
    const { pay, first } = await undone(place())

    const waitedMs = await msOf(pay(first).then((answer) => expect(answer).toEqual({ kind: 'unconfirmed' })))

    expect(waitedMs).toBeGreaterThan(quick.payconexTimeoutMs - 20)
    expect(waitedMs).toBeLessThan(quick.payconexTimeoutMs + 300)
  })

  it('hears `unconfirmed` as soon as a person must look', async () => {
    const { pay, finish, first } = await undone(place())
    const held = pay(first)
    await sleep(50)

    await finish(first.key, { state: 'review' })

    expect(await held).toEqual({ kind: 'unconfirmed' })
  })
})

describe('what the ledger knows of a held try', () => {
  const waitingFor = async (where: Place, { key }: { key: string }) => {
    const redis = await connected(where.ledgerUrl)
    return redis.hget(`{${where.shard}}:payment:${key}`, 'waiting')
  }

  it('is its seat, as long as it is held', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()

    const answer = pay(first)
    await worker.reaches(first.key, 'accepted')

    expect(await waitingFor(where, first)).toMatch(/^[\w-]+:1$/)
    await worker.settle(first.key, APPROVAL)
    await answer
    expect(await worker.ledger.read(first.key)).toMatchObject({ heard: true })
  })

  it('is that it left when its caller hangs up: what is approved afterwards was not heard', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    const answer = pay(first)
    await worker.reaches(first.key, 'accepted')

    first.hangUp()
    await answer

    expect(await waitingFor(where, first)).toBe('')
    expect(await worker.ledger.read(first.key)).toHaveProperty('left')
    await worker.settle(first.key, APPROVAL)
    expect(await worker.ledger.read(first.key)).not.toHaveProperty('heard')
  })

  it('is that the others still wait when one hangs up', async () => {
    const where = place()
    const [one, two, worker] = await Promise.all([openGateway(where), openGateway(where), openWorker(where)])
    const first = charge()
    const gone = one.pay(first)
    await worker.reaches(first.key, 'accepted')
    const answer = two.pay(first.again())
    await expect.poll(() => waitingFor(where, first)).toMatch(/^\S+ \S+$/)

    first.hangUp()

    expect(await gone).toBeUndefined()
    expect(await waitingFor(where, first)).toMatch(/^\S+$/)
    await worker.settle(first.key, APPROVAL)
    expect(await answer).toEqual(approved)
    expect(await worker.ledger.read(first.key)).toMatchObject({ heard: true })
  })

  it('is that it left before it is told `unconfirmed`: what is approved afterwards was not heard', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    const answer = pay(first)
    await worker.reaches(first.key, 'accepted')
    await worker.fence(first.key)

    expect(await answer).toEqual({ kind: 'unconfirmed' })

    expect(await waitingFor(where, first)).toBe('')
    await worker.finish(first.key, APPROVAL)
    expect(await worker.ledger.read(first.key)).not.toHaveProperty('heard')
  })

  it('is that it left when a full house cannot hold it', async () => {
    const where = place()
    const [full, worker] = await Promise.all([openGateway(where, { maxWaiting: 0 }), openWorker(where)])
    const first = charge()
    await worker.ledger.admit(admissionOf(first))

    expect(await full.pay(first)).toBeUndefined()

    expect(await waitingFor(where, first)).toBe(admissionOf(first).seat)
  })

  it('is that it left also when the ledger’s answer to its admission was lost and its caller hung up', async () => {
    const where = place()
    const lossy = ({ ledger }: PayDeps) => ({
      ledger: {
        ...ledger,
        admit: async (...args: Parameters<typeof ledger.admit>) => {
          await ledger.admit(...args)
          first.hangUp()
          throw new Error('Command timed out')
        },
      },
    })
    const { pay } = await openGateway(where, { through: lossy })
    const first = charge()

    expect(await pay(first)).toBeUndefined()

    expect(await waitingFor(where, first)).toBe('')
  })
})

describe('a try that is about to be told `unconfirmed`', () => {
  /** Between its deadline and its leaving something happens. */
  async function whenLeaving(
    happens: (key: string, worker: Awaited<ReturnType<typeof openWorker>>) => Promise<unknown>,
  ) {
    const where = place()
    const worker = await openWorker(where)
    const meanwhile = ({ ledger }: PayDeps) => ({
      ledger: {
        ...ledger,
        leave: async (...args: Parameters<typeof ledger.leave>) => {
          await happens(args[0], worker)
          return ledger.leave(...args)
        },
      },
    })
    const { pay } = await openGateway(where, { hears: false, rereads: false, through: meanwhile })
    const first = charge()
    const answer = pay(first)
    await worker.reaches(first.key, 'accepted')
    await worker.fence(first.key)
    return { answer: await answer, record: () => worker.ledger.read(first.key) }
  }

  it('hears of the approval that was written down before it had left: the last look wins', async () => {
    const { answer, record } = await whenLeaving((key, { finish }) => finish(key, APPROVAL))

    expect(answer).toEqual(approved)
    expect(await record()).toMatchObject({ heard: true })
  })

  it('hears of the decline that was written down before it had left', async () => {
    const no = { state: 'declined', code: '30002', message: 'NO' } as const

    const { answer } = await whenLeaving((key, { finish }) => finish(key, no))

    expect(answer).toEqual({ kind: 'declined', code: '30002', message: 'NO' })
  })

  it('is told that when the ledger does not answer: then it is still waited for, and an approval counts as heard', async () => {
    const { answer, record } = await whenLeaving(async () => Promise.reject(new Error('away')))

    expect(answer).toEqual({ kind: 'unconfirmed' })
    expect(await record()).not.toHaveProperty('left')
  })
})

describe('a caller who hangs up', () => {
  it('ends the try in silence and cancels nothing', async () => {
    const where = place()
    const [{ pay, room }, worker, queue] = await Promise.all([openGateway(where), openWorker(where), openQueue(where)])
    const first = charge()
    const answer = pay(first)
    await expect.poll(queue.jobs).toHaveLength(1)

    first.hangUp()

    expect(await answer).toBeUndefined()
    expect(room.size()).toBe(0)
    expect(await worker.ledger.read(first.key)).toMatchObject({ state: 'accepted' })
    expect(await queue.take(first.key)).not.toBeNull()
    await worker.settle(first.key, APPROVAL)
    expect(await pay(first.again())).toEqual(approved)
  })

  it('before anything was recorded starts no payment', async () => {
    const where = place()
    const [{ pay, room }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    first.hangUp()

    expect(await pay(first)).toBeUndefined()

    expect(await worker.ledger.read(first.key)).toBeUndefined()
    expect(room.size()).toBe(0)
  })
})

describe('a full house', () => {
  it('refuses a new payment, of which nothing stays on the queue', async () => {
    const where = place()
    const [{ pay, room }, worker, queue] = await Promise.all([
      openGateway(where, { maxWaiting: 1 }),
      openWorker(where),
      openQueue(where),
    ])
    const [held, refused] = [charge(), charge()]
    const answer = pay(held)
    await expect.poll(queue.jobs).toHaveLength(1)

    expect(await pay(refused)).toEqual({ kind: 'not_processed' })

    expect(await worker.ledger.read(refused.key)).toMatchObject({ state: 'not_sent' })
    expect(await queue.take(refused.key)).toBeNull()
    expect(await queue.jobs()).toHaveLength(1)
    expect(room.size()).toBe(1)
    await worker.settle(held.key, APPROVAL)
    expect(await answer).toEqual(approved)
  })

  it('says nothing of a payment that is being sent', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where, { maxWaiting: 1 }), openWorker(where)])
    const first = charge()
    const answer = pay(first)
    await worker.reaches(first.key, 'accepted')
    await worker.fence(first.key)

    expect(await pay(first.again())).toBeUndefined()

    await worker.finish(first.key, APPROVAL)
    expect(await answer).toEqual(approved)
  })

  it('says nothing of a payment that others began, and leaves it to them', async () => {
    const where = place()
    const [one, full, worker] = await Promise.all([
      openGateway(where),
      openGateway(where, { maxWaiting: 0 }),
      openWorker(where),
    ])
    const first = charge()
    const answer = one.pay(first)
    await worker.reaches(first.key, 'accepted')

    expect(await full.pay(first.again())).toBeUndefined()

    await worker.settle(first.key, APPROVAL)
    expect(await answer).toEqual(approved)
  })

  it('still replays, and refuses an id that is another’s', async () => {
    const where = place()
    const [{ pay }, worker, queue] = await Promise.all([
      openGateway(where, { maxWaiting: 1 }),
      openWorker(where),
      openQueue(where),
    ])
    const [over, held] = [charge(), charge()]
    await Promise.all([pay(over), worker.settle(over.key, APPROVAL)])
    const answer = pay(held)
    await expect.poll(queue.jobs).toHaveLength(2)

    expect(await pay(over.again())).toEqual(approved)
    expect(await pay(held.again({ amount: '1.00' }))).toEqual({ kind: 'transaction_id_reused' })

    await worker.settle(held.key, APPROVAL)
    await answer
  })
})

describe('a sealed card', () => {
  it('that a joining try sealed again after the worker erased it is erased by that try', async () => {
    const where = place({ times: unhurried })
    let goOn: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let isAsked = false
    const slowQueue = ({ producer }: PayDeps) => ({
      producer: {
        ...producer,
        add: async (...args: Parameters<typeof producer.add>) => {
          isAsked = true
          await held
          await producer.add(...args)
        },
      },
    })
    const [{ pay }, worker, queue] = await Promise.all([
      openGateway(where, { through: slowQueue }),
      openWorker(where),
      openQueue(where),
    ])
    const first = charge()
    await worker.ledger.admit(admissionOf(first))
    const answer = pay(first)
    await expect.poll(() => isAsked).toBe(true)

    await worker.settle(first.key, APPROVAL)
    goOn()

    expect(await answer).toEqual(approved)
    await expect.poll(queue.jobs).toHaveLength(1)
    await expect.poll(() => queue.take(first.key), { timeout: 500 }).toBeNull()
  })

  it('is erased by whoever withdraws the payment, also when the first answer of the ledger was lost', async () => {
    const where = place({ times: unhurried })
    let lost = 0
    const forgetful = ({ ledger, producer }: PayDeps) => ({
      // It takes the card, and says that it does not.
      producer: {
        ...producer,
        add: async (...args: Parameters<typeof producer.add>) => {
          await producer.add(...args)
          throw new Error('the answer was lost')
        },
      },
      ledger: {
        ...ledger,
        withdraw: async (...args: Parameters<typeof ledger.withdraw>) => {
          await ledger.withdraw(...args)
          if (lost++ === 0) throw new Error('the answer was lost')
          return ledger.withdraw(...args)
        },
      },
    })
    const deaf = { hears: false, rereads: false, through: forgetful }
    const [{ pay }, worker, queue] = await Promise.all([openGateway(where, deaf), openWorker(where), openQueue(where)])
    const first = charge()

    expect(await pay(first)).toEqual({ kind: 'not_processed' })

    expect(lost).toBe(2)
    expect(await worker.ledger.read(first.key)).toMatchObject({ state: 'not_sent' })
    await expect.poll(() => queue.take(first.key), { timeout: 500 }).toBeNull()
  })

  it('of a payment that is being sent is left alone by a try that could not withdraw it', async () => {
    const where = place()
    const [{ pay }, worker, queue] = await Promise.all([openGateway(where), openWorker(where), openQueue(where)])
    const first = charge()
    const answer = pay(first)
    await expect.poll(queue.jobs).toHaveLength(1)
    await worker.fence(first.key)

    await sleep(quick.sendByMs + 50)

    expect(await queue.take(first.key)).not.toBeNull()
    await worker.finish(first.key, APPROVAL)
    expect(await answer).toEqual(approved)
  })
})

describe('while the queue is away', () => {
  const away = async () => place({ queueUrl: `redis://127.0.0.1:${await freePort()}` })

  it('a new payment is refused at once, and the ledger knows that nothing was sent', async () => {
    const where = await away()
    const [{ pay, lines }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()

    const waitedMs = await msOf(pay(first).then((answer) => expect(answer).toEqual({ kind: 'not_processed' })))

    expect(waitedMs).toBeLessThan(quick.sendByMs - 40)
    expect(await worker.ledger.read(first.key)).toMatchObject({ state: 'not_sent' })
    expect(lines.map(({ fields }) => fields.step ?? fields.reason)).toContain('add')
  })

  it('a payment that another gateway could still queue is joined, not withdrawn', async () => {
    const where = place()
    const [one, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const cutOff = await openGateway({ ...where, queueUrl: (await away()).queueUrl })
    const first = charge()
    const answers = [one.pay(first)]
    await worker.reaches(first.key, 'accepted')

    answers.push(cutOff.pay(first.again()))

    await worker.settle(first.key, APPROVAL)
    expect(await Promise.all(answers)).toEqual([approved, approved])
  })

  it('a payment that is being sent is held until it ends', async () => {
    const where = await away()
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = charge()
    await worker.ledger.admit(admissionOf(first))
    await worker.fence(first.key)

    const [answer] = await Promise.all([pay(first), sleep(50).then(() => worker.finish(first.key, APPROVAL))])

    expect(answer).toEqual(approved)
  })
})

describe('while the ledger is away', () => {
  it('a try is held and asks on; past ANSWER_BY since it was first seen the answer is unconfirmed', async () => {
    const where = place({ ledgerUrl: `redis://127.0.0.1:${await freePort()}` })
    const [{ pay, room }, queue] = await Promise.all([openGateway(where, { hears: false }), openQueue(where)])
    const first = charge()

    const waitedMs = await msOf(pay(first).then((answer) => expect(answer).toEqual({ kind: 'unconfirmed' })))
    const repeatedMs = await msOf(pay(first.again()).then((answer) => expect(answer).toEqual({ kind: 'unconfirmed' })))

    expect(waitedMs).toBeGreaterThan(quick.answerByMs - 20)
    expect(repeatedMs).toBeLessThan(quick.answerByMs / 2)
    expect(await queue.jobs()).toEqual([])
    expect(room.size()).toBe(0)
  })

  it('a full house holds no more tries for it: the next one ends in silence, at once', async () => {
    const where = place({ ledgerUrl: `redis://127.0.0.1:${await freePort()}` })
    const { pay, room, lines } = await openGateway(where, { hears: false, maxWaiting: 2 })
    const held = [charge(), charge()]
    const answers = held.map((one) => pay(one))
    await sleep(3 * quick.ledgerRetryMs)

    const waitedMs = await msOf(pay(charge()).then((answer) => expect(answer).toBeUndefined()))

    expect(waitedMs).toBeLessThan(quick.answerByMs / 4)
    expect(room.size()).toBe(2)
    expect(lines.map(({ fields }) => fields.reason)).toContain('full')
    expect(await Promise.all(answers)).toEqual([{ kind: 'unconfirmed' }, { kind: 'unconfirmed' }])
  })

  it('a full house still says that a payment is unconfirmed, for that takes no seat', async () => {
    const where = place({ ledgerUrl: `redis://127.0.0.1:${await freePort()}` })
    const [gateway, first] = [await openGateway(where, { hears: false, maxWaiting: 1 }), charge()]
    expect(await gateway.pay(first)).toEqual({ kind: 'unconfirmed' })
    const caller = charge()
    const held = gateway.pay(caller)

    expect(await gateway.pay(first.again())).toEqual({ kind: 'unconfirmed' })

    caller.hangUp()
    expect(await held).toBeUndefined()
  })

  it('a caller who hangs up is let go', async () => {
    const where = place({ ledgerUrl: `redis://127.0.0.1:${await freePort()}` })
    const { pay, room } = await openGateway(where, { hears: false })
    const first = charge()
    const answer = pay(first)
    await sleep(30)

    first.hangUp()

    expect(await answer).toBeUndefined()
    expect(room.size()).toBe(0)
  })

  it('a try that was waiting is carried out when the ledger comes back', async () => {
    const server = await startTestRedis({ kind: 'ledger' })
    opened.push(server.stop)
    const where = place({ ledgerUrl: server.url, times: unhurried })
    const [{ pay }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    await server.kill()
    const first = charge()

    const answer = pay(first)
    await sleep(30)
    await server.restart()
    const recorded = () => worker.ledger.read(first.key).catch(() => undefined)
    await expect.poll(recorded, { interval: 20, timeout: quick.answerByMs * 2 }).toBeDefined()
    await worker.settle(first.key, APPROVAL)

    expect(await answer).toEqual(approved)
  })

  it('a payment that was accepted before is not said to be unprocessed, for nobody can know', async () => {
    const server = await startTestRedis({ kind: 'ledger' })
    opened.push(server.stop)
    const where = place({ ledgerUrl: server.url })
    const [{ pay }, queue] = await Promise.all([openGateway(where), openQueue(where)])
    const first = charge()
    const answer = pay(first)
    await expect.poll(queue.jobs).toHaveLength(1)

    await server.kill()

    const waitedMs = await msOf(answer.then((verdict) => expect(verdict).toEqual({ kind: 'unconfirmed' })))
    expect(waitedMs).toBeLessThan(quick.answerByMs + 300)
  })

  it('a held try whose caller hangs up at the deadline leaves its seat', async () => {
    const server = await startTestRedis({ kind: 'ledger' })
    opened.push(server.stop)
    const where = place({ ledgerUrl: server.url })
    const [{ pay, room }, queue] = await Promise.all([openGateway(where), openQueue(where)])
    const first = charge()
    const answer = pay(first)
    await expect.poll(queue.jobs).toHaveLength(1)
    await server.kill()
    await sleep(quick.sendByMs)

    first.hangUp()

    expect(await msOf(answer)).toBeLessThan(400)
    expect(await answer).toBeUndefined()
    expect(room.size()).toBe(0)
  })
})

describe('a lost message of the reply channel', () => {
  it('is made good by reading the ledger again', async () => {
    const where = place()
    const [{ pay }, worker] = await Promise.all([openGateway(where, { hears: false }), openWorker(where)])
    const first = charge()
    const started = performance.now()

    const [answer] = await Promise.all([pay(first), worker.settle(first.key, APPROVAL)])

    expect(answer).toEqual(approved)
    expect(performance.now() - started).toBeLessThan(quick.sendByMs)
  })

  it('is made good at the deadline even when nobody reads again', async () => {
    const where = place()
    const deaf = { hears: false, rereads: false }
    const [{ pay }, worker] = await Promise.all([openGateway(where, deaf), openWorker(where)])
    const first = charge()

    const [answer] = await Promise.all([pay(first), worker.settle(first.key, APPROVAL)])

    expect(answer).toEqual(approved)
  })

  it('about the end of an attempt is read again, and the same request has not begun anew meanwhile', async () => {
    const where = place()
    const deaf = openGateway(where, { hears: false, rereads: false })
    const [{ pay, room }, worker] = await Promise.all([deaf, openWorker(where)])
    const first = charge()
    const answer = pay(first)
    await worker.settle(first.key, { state: 'not_sent' })

    const { verdict } = await worker.ledger.admit(admissionOf(first))
    await room.rereadAll()

    expect(verdict).toBe('replay')
    expect(await answer).toEqual({ kind: 'not_processed' })
  })

  it('about the end of an attempt is no charge when the next attempt is another request', async () => {
    const where = place()
    const deaf = openGateway(where, { hears: false, rereads: false })
    const [{ pay, room }, worker] = await Promise.all([deaf, openWorker(where)])
    const first = charge()
    const answer = pay(first)
    await worker.settle(first.key, { state: 'declined', code: '30002', message: 'NO' })
    await worker.ledger.admit({ ...admissionOf(first), fingerprint: 'another request' })
    await worker.settle(first.key, APPROVAL, 2)

    await room.rereadAll()

    expect(await answer).toEqual({ kind: 'not_processed' })
  })

  it('of an earlier attempt says nothing about a later one', async () => {
    const where = place()
    const [{ pay, room }, worker] = await Promise.all([openGateway(where), openWorker(where)])
    const first = await hungUpAndNeverSent(pay, worker)
    const old = (await worker.ledger.read(first.key)) as PaymentRecord
    const answer = pay(first.again())
    await worker.reaches(first.key, 'accepted', 2)

    room.tell(old)
    await worker.settle(first.key, APPROVAL, 2)

    expect(await answer).toEqual(approved)
  })
})

/** A payment whose caller was gone before it ended. */
async function hungUpAndNeverSent(pay: Pay, { ledger, reaches }: Awaited<ReturnType<typeof openWorker>>) {
  const first = charge()
  const answer = pay(first)
  await reaches(first.key, 'accepted')
  first.hangUp()
  await answer
  await ledger.withdraw({ key: first.key, attempt: 1 }, { state: 'not_sent' })
  return first
}

function admissionOf({ key, request, body }: ReturnType<typeof charge>) {
  return {
    key,
    fingerprint: identity.fingerprint({ body, accessKey: ACCESS_KEY }),
    seat: 'another:1',
    method: request.method,
    account: ACCOUNT,
    custom_id: request.transactionId,
    amount: request.amount,
    sealedCredentials: '',
  }
}

describe('an account for which credentials are guessed', () => {
  const LIMIT = 3
  const limits = {
    badCredentials: { limit: LIMIT, windowMs: 600_000 },
    cardTesting: { declines: 0, approvedPercent: 0, windowMs: 600_000 },
  }
  const watched = () => ({ misuse: watchMisuse(limits, () => performance.now()).misuse })
  const payWith = (key: string) => {
    const theTry = charge()
    return { ...theTry, credentials: { accountId: ACCOUNT, accessKey: new Secret(key) } }
  }

  /** PayConex refuses the credentials of the payment, as it does before anything is sent. */
  async function guess({ pay }: { pay: Pay }, where: Place, key: string) {
    const ledger = await ledgerAt(where)
    const theTry = payWith(key)
    const answer = pay(theTry)
    await expect.poll(() => ledger.read(theTry.key), { interval: 5 }).toMatchObject({ state: 'accepted' })
    await ledger.withdraw(
      { key: theTry.key, attempt: 1 },
      { state: 'declined', code: '20002', message: 'Invalid api_accesskey' },
    )
    expect(await answer).toMatchObject({ kind: 'declined' })
    return theTry
  }

  it('hears `not_processed` for another guess, and the truth about earlier ones; the right key is served', async () => {
    const where = place({ times: unhurried })
    const gateway = await openGateway(where, { through: watched })
    const worker = await openWorker(where)
    const right = payWith(ACCESS_KEY)
    const served = gateway.pay(right)
    await worker.settle(right.key, APPROVAL)
    expect(await served).toEqual(approved)

    const guesses: ReturnType<typeof payWith>[] = []
    for (let nth = 0; nth < LIMIT; nth += 1) guesses.push(await guess(gateway, where, `wrong-${nth}`))

    expect(await gateway.pay(payWith('another'))).toEqual({ kind: 'not_processed' })
    expect(await gateway.pay(guesses[0] ?? right)).toMatchObject({ kind: 'declined', code: '20002' })
    expect(await gateway.pay(right)).toEqual(approved)
    const next = payWith(ACCESS_KEY)
    const answer = gateway.pay(next)
    await worker.settle(next.key, APPROVAL)
    expect(await answer).toEqual(approved)
    expect(gateway.lines.filter(({ fields }) => fields.reason === 'bad credentials')).toHaveLength(1)
    expect(JSON.stringify(gateway.lines)).not.toMatch(/wrong-|another|4111/)
  })
})
