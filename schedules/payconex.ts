import type { Payconex, Submitted } from '../apps/worker/src/payconex.ts'
import type { Oracle } from './oracle.ts'
import { COMMIT_LIMIT_MS, PAUSE_LIMIT_MS, times } from './times.ts'
import type { How, Process, World } from './world.ts'

/** What it does with a second request under an id that it has committed already. One that ignores ids gives each request one of
 * its own. */
export type Behaviour = 'refuses' | 'replays' | 'ignores'

/** One request that has reached PayConex, and what it made of it. */
export type Sent = {
  kind: 'SALE' | 'STORE' | 'REVERSAL'
  customId: string
  attempt: number
  amount: string | undefined
  reservedId: string | undefined
  /** Of a reversal: what is to be undone. */
  chargeId: string | undefined
  state: 'pending' | 'approved' | 'declined' | 'dropped'
  id: string | undefined
  isVisible: boolean
  isReversed: boolean
  isRepeat: boolean
  /** Approved with another amount than was asked, which only the answer shows. */
  isMistaken: boolean
  by: number
  answer: (answer: Answer) => void
}

type Request = Omit<Sent, 'state' | 'id' | 'isVisible' | 'isReversed' | 'isMistaken' | 'by' | 'answer'>

type Answer = Submitted | Awaited<ReturnType<Payconex['reverse']>>

export type Event = { name: string; happen: () => void }

export type RemotePayconex = ReturnType<typeof createRemotePayconex>

const UNANSWERED = { kind: 'unanswered', reason: 'no answer' } as const
const DECLINED = { kind: 'declined', code: '30002', message: 'Declined' } as const

export function createRemotePayconex({
  world,
  oracle,
  behaviour,
}: {
  world: World
  oracle: Oracle
  behaviour: Behaviour
}) {
  const all: Sent[] = []
  const reserved: string[] = []
  let ids = 0

  const freshId = () => {
    ids += 1
    return idOf(ids)
  }

  const committed = (id: string | undefined) =>
    behaviour === 'ignores' || id === undefined
      ? undefined
      : all.find(({ reservedId, state }) => reservedId === id && (state === 'approved' || state === 'declined'))

  function receive(sent: Request, by: number): Sent {
    const state = { state: 'pending', id: undefined, isVisible: false, isReversed: false, isMistaken: false } as const
    const received: Sent = { ...sent, ...state, by, answer: () => undefined }
    all.push(received)
    oracle.received(received)
    return received
  }

  /** The answer, when PayConex gives one in time and it is not lost. */
  function answerTo(process: Process, sent: Sent): Promise<Answer> {
    return new Promise((resolve) => {
      const timeout = world.timer(process, 'gives up waiting for PayConex', times.payconexTimeoutMs, () =>
        resolve(UNANSWERED),
      )
      sent.answer = (answer) => {
        sent.answer = () => undefined
        if (!process.isAlive) return
        world.remove(timeout)
        void world
          .effect(
            process,
            `hears from PayConex: ${answer.kind}`,
            (how) => (isBad(how) ? UNANSWERED : answer),
            ANSWERING,
          )
          .then(resolve)
      }
    })
  }

  function commit(sent: Sent, state: 'approved' | 'declined', { isVisible = true } = {}): void {
    const first = committed(sent.reservedId)
    if (first) duplicate(sent, first)
    else decide(sent, state, isVisible)
  }

  function decide(sent: Sent, state: 'approved' | 'declined', isVisible: boolean): void {
    sent.state = state
    sent.id = behaviour === 'ignores' ? freshId() : (sent.reservedId ?? freshId())
    sent.isVisible = isVisible
    if (sent.kind === 'REVERSAL' && state === 'approved') undo(sent)
    if (state === 'approved') oracle.approved(sent)
    sent.answer(answerOf(sent))
  }

  function duplicate(sent: Sent, first: Sent): void {
    sent.state = 'dropped'
    if (behaviour === 'replays') sent.answer(answerOf(first))
    else sent.answer(sent.isRepeat ? UNANSWERED : DECLINED)
  }

  /** What was undone already is undone. */
  function undo(sent: Sent): void {
    const charge = all.find(({ kind, id, state }) => kind === 'SALE' && id === sent.chargeId && state === 'approved')
    if (charge) charge.isReversed = true
    oracle.reversed(sent, charge)
  }

  function answerOf(sent: Sent): Answer {
    if (sent.state === 'declined') return DECLINED
    if (sent.kind === 'REVERSAL') return { kind: 'reversed', ...(sent.id !== undefined && { transactionId: sent.id }) }
    if (sent.reservedId !== undefined && sent.id !== sent.reservedId)
      return { kind: 'contradiction', reason: 'another id' }
    if (sent.isMistaken) return { kind: 'contradiction', reason: 'another amount' }
    return { kind: 'approved', transactionId: sent.id ?? '' }
  }

  function drop(sent: Sent): void {
    sent.state = 'dropped'
    sent.answer(UNANSWERED)
  }

  function mistake(sent: Sent): void {
    if (!committed(sent.reservedId)) sent.isMistaken = true
    commit(sent, 'approved')
  }

  const lost = (sent: Sent, then: () => void) => {
    sent.answer(UNANSWERED)
    then()
  }

  function eventsOf(sent: Sent): Event[] {
    const name = `PayConex: ${sent.kind} ${sent.reservedId ?? 'without an id'}`
    if (sent.state === 'pending') {
      return [
        { name: `${name} approved`, happen: () => commit(sent, 'approved') },
        { name: `${name} approved, the answer lost`, happen: () => lost(sent, () => commit(sent, 'approved')) },
        { name: `${name} declined`, happen: () => commit(sent, 'declined') },
        { name: `${name} dropped`, happen: () => drop(sent) },
        {
          name: `${name} approved, the answer lost, not to be found yet`,
          happen: () => lost(sent, () => commit(sent, 'approved', { isVisible: false })),
        },
        { name: `${name} declined, the answer lost`, happen: () => lost(sent, () => commit(sent, 'declined')) },
        ...(sent.kind === 'SALE'
          ? [{ name: `${name} approved with another amount`, happen: () => mistake(sent) }]
          : []),
      ]
    }
    if ((sent.state === 'approved' || sent.state === 'declined') && !sent.isVisible) {
      return [
        {
          name: `${name} can be found`,
          happen: () => {
            sent.isVisible = true
          },
        },
      ]
    }
    return []
  }

  function found(reservedId: string) {
    return all.find((sent) => sent.id === reservedId && sent.isVisible)
  }

  function clientOf(process: Process): Payconex {
    return {
      reserve: () =>
        world.effect(
          process,
          'asks PayConex for an id',
          (how) => {
            if (how === 'late') {
              oracle.refusedReservation()
              return { ...DECLINED, code: '20010', message: 'Not allowed' }
            }
            // One that it has reserved before, perhaps for another payment. What it chose itself for a transaction it never reserves:
            // then no id would say anything.
            const again = how === 'failed' ? reserved.at(-1) : undefined
            if (again === undefined && isBad(how)) return UNANSWERED
            const transactionId = again ?? freshId()
            reserved.push(transactionId)
            return { kind: 'reserved', transactionId } as const
          },
          ANSWERING,
        ),

      async submit(transaction, { reservedId, isRepeat = false } = {}) {
        const customId = String(transaction.fields.custom_id)
        const kind = transaction.type === 'STORE' ? 'STORE' : 'SALE'
        const attempt = oracle.submits(process, { kind, customId, reservedId, isRepeat })
        const request = {
          kind,
          customId,
          attempt,
          amount: transaction.amount,
          reservedId,
          chargeId: undefined,
          isRepeat,
        } as const
        const sent = await send(process, `sends ${kind} ${reservedId ?? ''}`, request)
        return 'kind' in sent && sent.kind === 'unsent' ? sent : ((await answerTo(process, sent)) as Submitted)
      },

      async reverse(_credentials, { chargeId, reservedId, customId }) {
        const attempt = oracle.submits(process, { kind: 'REVERSAL', customId, reservedId, isRepeat: false })
        const request = {
          kind: 'REVERSAL',
          customId,
          attempt,
          amount: undefined,
          reservedId,
          chargeId,
          isRepeat: false,
        } as const
        const sent = await send(process, `sends REVERSAL ${reservedId}`, request)
        if (sent.kind === 'unsent') return sent
        return (await answerTo(process, sent)) as Awaited<ReturnType<Payconex['reverse']>>
      },

      lookUp: (_credentials, { type, reservedId, pastTimeout }) =>
        world.effect(
          process,
          `looks up ${type} ${reservedId}`,
          (how) => {
            if (isBad(how)) return UNANSWERED
            const sent = found(reservedId)
            if (!sent) return { kind: 'not_found' } as const
            if (sent.state === 'approved') return { kind: 'approved', transactionId: reservedId } as const
            return pastTimeout ? DECLINED : UNANSWERED
          },
          ANSWERING,
        ),
    }
  }

  type Unsent = { kind: 'unsent'; reason: string; retry: boolean }

  /** Between the last check and the first byte a worker may stand still, but not for ever. */
  async function send(process: Process, name: string, request: Request): Promise<Sent | Unsent> {
    const about = oracle.about(process, request)
    const by = world.now() + PAUSE_LIMIT_MS
    const commitBy = world.now() + COMMIT_LIMIT_MS
    const run = (how: How) => {
      about.end()
      if (how === 'failed') return { kind: 'unsent', reason: 'ECONNREFUSED', retry: true } as const
      if (how === 'late') return { kind: 'unsent', reason: 'CERT_HAS_EXPIRED', retry: false } as const
      return receive(request, commitBy)
    }
    return world.effect<Sent | Unsent>(process, name, run, { by, isAnswering: true })
  }

  return {
    clientOf,
    all,
    /** Every id that it ever gave. */
    ids: () => Array.from({ length: ids }, (_, nth) => idOf(nth + 1)),
    events: () => all.flatMap(eventsOf),
    /** What must have happened by now: the one thing that PayConex promises. */
    overdue(which: number): Event | undefined {
      const [events] = all
        .filter(({ by }) => by <= world.now())
        .map(eventsOf)
        .filter(({ length }) => length > 0)
      return events?.[which] ?? events?.[0]
    },
    firstBy: () =>
      all.reduce(
        (least, sent) => (eventsOf(sent).length > 0 ? Math.min(least, sent.by) : least),
        Number.POSITIVE_INFINITY,
      ),
  }
}

const idOf = (nth: number) => String(nth).padStart(12, '0')
const ANSWERING = { isAnswering: true }
const isBad = (how: How) => how === 'lost' || how === 'failed' || how === 'late'
