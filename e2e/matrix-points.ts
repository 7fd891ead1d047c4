import { Redis } from 'ioredis'
import { openProxy } from '../scripts/chaos/proxy.ts'
import type { Worker } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { createPayers, type Heard, type Payer, until } from './matrix-payer.ts'

/** A tenth of the real times: a worker is silent after 0.5 s, a job's lock lapses in 1 s. PayConex may take 2 s, and an absence is
 * proven from 4 s after the send. `sendByMs` and `tries` are as in earnest. */
export const TIME_SCALE = 0.1
const TRY_MS = 10_000

export const charged = { heard: 'approved', ledger: 'approved', charged: 1, returned: 0 }
export const provenAbsent = { heard: 'unconfirmed', ledger: 'not_sent', charged: 0, returned: 0 }

/** A worker that can be caught in the middle of its work, and one that takes its place afterwards. Callers are heard out until their
 * last try but one. */
export async function openScene({ sendByMs, tries }: { sendByMs: number; tries: number }) {
  const env = {
    TIME_SCALE: String(TIME_SCALE),
    SEND_BY_MS: String(sendByMs),
    PAYCONEX_TIMEOUT_MS: '20000',
    ANSWER_BY_MS: String((tries - 1) * TRY_MS),
    TRIES: String(tries),
    ABSENCE_MARGIN_MS: '20000',
    // Whoever asks PayConex for an id is a payment at this point of its way.
    IDS_AHEAD: '0',
  }
  const stack = await startTestStack({ gateways: 2, workers: 0, env })
  const simulator = stack.simulator?.url ?? ''
  const wayToPayconex = await openProxy({ to: simulator })
  const wayToLedger = await openProxy({ to: stack.ledger.urls.worker })
  const wayToQueue = await openProxy({ to: stack.queue.urls.worker })
  const spareToQueue = await openProxy({ to: stack.queue.urls.worker })
  const spareToLedger = await openProxy({ to: stack.ledger.urls.worker })
  const spare = await stack.addWorker({
    env: { QUEUE_REDIS_URL: spareToQueue.url, LEDGER_REDIS_URL: spareToLedger.url },
  })
  const payers = createPayers({ stack, timeScale: TIME_SCALE, tries })
  const queue = new Redis(stack.queue.url)
  return {
    stack,
    payers,
    wayToPayconex,
    wayToLedger,
    wayToQueue,
    victim: async () => {
      const ways = {
        PAYCONEX_URL: wayToPayconex.url,
        LEDGER_REDIS_URL: wayToLedger.url,
        QUEUE_REDIS_URL: wayToQueue.url,
      }
      const victim = await stack.addWorker({ env: ways })
      await payers.isServed()
      return victim
    },
    /** The spare worker gets no jobs, and takes nothing over, until it is called in. */
    keepSpareOut: () => Promise.all([spareToQueue.set({ kind: 'down' }), spareToLedger.set({ kind: 'down' })]),
    callSpareIn: async () => {
      // Whoever takes a payment over needs what was sealed for it, so the queue comes first.
      await spareToQueue.heal()
      await until(async () => !(await problemsOf(spare)).includes('queue'), 3000, 50)
      await spareToLedger.heal()
    },
    jobsInHand: () => queue.llen('{s0}:payments:active'),
    close: async () => {
      payers.close()
      queue.disconnect()
      const ways = [wayToPayconex, wayToLedger, wayToQueue, spareToQueue, spareToLedger]
      await Promise.all(ways.map((way) => way.close()))
      await stack.stop()
    },
  }
}

const problemsOf = ({ opsUrl }: Worker) =>
  fetch(`${opsUrl}/readyz`, { signal: AbortSignal.timeout(1000) }).then(
    (answer) => answer.text(),
    () => 'queue',
  )

export type Scene = Awaited<ReturnType<typeof openScene>>

export type Placed = { payer: Payer; call: Promise<Heard> }

export type Points = Record<
  | 'dequeued'
  | 'opened'
  | 'reserved'
  | 'reservedProven'
  | 'fenced'
  | 'fencedProven'
  | 'written'
  | 'committed'
  | 'answered',
  Placed
>

/** One payment at each point of a worker's way, all in the hands of one worker. It stands there until it is killed, or until the
 * ways are healed:
 *
 *  dequeued                 it has just taken the job, and comes as far as it can without the ledger: to the fence
 *  opened                   it has opened the sealed payment and waits for PayConex' id
 *  reserved, reservedProven it has the id; the fence is on its way to the ledger
 *  fenced, fencedProven     the fence is passed, and not a byte has reached PayConex
 *  written                  PayConex has the request and has not committed it
 *  committed                it has committed it and does not answer
 *  answered                 its answer is with the worker, on its way to the ledger
 *
 * Those `Proven` are of accounts for which PayConex is known to honour reserved ids. */
export async function placeAtPoints(scene: Scene): Promise<Points> {
  const { payers, wayToLedger } = scene
  const [reservedProven, fencedProven] = [payers.payer(), payers.payer()]
  for (const payer of [reservedProven, fencedProven]) await payer.prove()

  const fenced = await placeFenced(scene, [payers.payer(), fencedProven])
  const early = await placeAtPayconex(scene)
  const reserved = await placeReserving([payers.payer(), reservedProven])
  await wayToLedger.set({ kind: 'stall' })
  const dequeued = await placeDequeued(scene)
  await until(early.answered.payer.isAnswered, 3000, 20)
  return {
    ...early,
    dequeued,
    ...{ fenced: fenced[0] as Placed, fencedProven: fenced[1] as Placed },
    ...{ reserved: reserved[0] as Placed, reservedProven: reserved[1] as Placed },
  }
}

const place = (payer: Payer): Placed => ({ payer, call: payer.call() })

/** Their requests go out on connections that have fallen silent. */
async function placeFenced({ wayToPayconex }: Scene, payers: Payer[]): Promise<Placed[]> {
  const placed = await placeReserving(payers)
  await wayToPayconex.set({ kind: 'stall', way: 'to', next: payers.length })
  await Promise.all(payers.map((payer) => payer.reaches('sending')))
  return placed
}

/** They wait for their ids a moment longer. */
async function placeReserving(payers: Payer[]): Promise<Placed[]> {
  for (const payer of payers) await payer.fault({ fault: 'delay', ms: 300, on: 'reserve' })
  const counts = await Promise.all(payers.map(async (payer) => (await payer.requests('reserve')).length))
  const placed = payers.map(place)
  await Promise.all(payers.map((payer, nth) => payer.arrived('reserve', (counts[nth] ?? 0) + 1)))
  return placed
}

async function placeAtPayconex({ payers }: Scene) {
  const [opened, written, committed, answered] = [payers.payer(), payers.payer(), payers.payer(), payers.payer()]
  await opened.fault({ fault: 'hang', on: 'reserve', share: 1, label: opened.customId })
  await written.fault({ fault: 'hang' })
  await committed.fault({ fault: 'lose_answer' })
  await answered.fault({ fault: 'delay', ms: 1200, when: 'after' })
  const placed = {
    opened: place(opened),
    written: place(written),
    committed: place(committed),
    answered: place(answered),
  }
  await opened.arrived('reserve')
  for (const payer of [written, committed, answered]) await payer.arrived('sale')
  return placed
}

async function placeDequeued({ payers, jobsInHand }: Scene): Promise<Placed> {
  const before = await jobsInHand()
  const placed = place(payers.payer())
  await until(async () => (await jobsInHand()) > before, 3000, 20)
  return placed
}
