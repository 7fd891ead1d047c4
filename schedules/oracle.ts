import type { PaymentRecord } from '@pay/ledger'
import type { Verdict } from '@pay/mapper'
import type { HungUp, Seat } from '../apps/gateway/src/waiting-room.ts'
import type { Call } from './callers.ts'
import { count, EDGES, type Histogram } from './histogram.ts'
import type { Laboratory } from './laboratory.ts'
import type { Behaviour, Sent } from './payconex.ts'
import { requestOf } from './payment.ts'
import { times } from './times.ts'
import type { Process, World } from './world.ts'

/** Compares three books as they grow: what PayConex did, what the ledger says, and what every caller was told. The rules are
 * those of design.md section 3, in its words where that is possible. The first one that is broken is kept. */
export type Oracle = ReturnType<typeof createOracle>

export type Violation = { rule: string; detail: string }

type Reply = { verdict: string; record: PaymentRecord }

type Command = { process: Process; name: string; args: unknown[] }

type Request = { kind: Sent['kind']; customId: string; attempt: number; reservedId: string | undefined }

/** Leave to send, as a worker has heard it. */
type Permission = Request & { process: Process; askedAt: number; isUsed: boolean }

const EDGE_NAMES: ReadonlySet<string> = new Set(EDGES)
const PERMISSIONS: ReadonlySet<string> = new Set(['fenced', 'permitted', 'reversing'])
const PUBLISHES: ReadonlySet<string> = new Set(['finished', 'withdrawn'])
const YES: ReadonlySet<string> = new Set(['fenced', 'permitted', 'withdrawn', 'finished'])
const TAKEN: ReadonlySet<string> = new Set(['sending', 'unconfirmed', 'reversing', 'approved'])
const FINAL: ReadonlySet<string> = new Set(['approved', 'declined', 'not_sent', 'reversed'])

export type OracleOptions = { world: World; laboratory: Laboratory; behaviour: Behaviour }

export function createOracle({ world, laboratory, behaviour }: OracleOptions) {
  const edges: Histogram = new Map()
  const verdicts: Histogram = new Map()
  const records = new Map<string, PaymentRecord>()
  const sent: Sent[] = []
  const abouts = new Set<Request>()
  const permissions: Permission[] = []
  const told: { call: Call; verdict: Verdict }[] = []
  const seats = new Map<string, Call>()
  const signals = new WeakMap<HungUp, Call>()
  const leases = new Map<string, number>()
  const doubted = new Set<string>()
  let wasRefused = false
  let violation: Violation | undefined
  let ledgerSteps = 0
  let isBack = false

  function fail(rule: string, detail: string): void {
    violation ??= { rule, detail }
    world.note(() => `!!! ${rule}: ${detail}`)
  }

  const nameOf = ({ method, custom_id }: PaymentRecord) => `${method === 'charge' ? 'SALE' : 'STORE'} ${custom_id}`

  /** Everything that was sent, or is about to be, for one attempt; a reversal is not meant. */
  const sendsOf = (record: PaymentRecord, attempt = record.attempt) =>
    sent.filter((other) => `${other.kind} ${other.customId}` === nameOf(record) && other.attempt === attempt)

  const isCommitted = (id: string | undefined) =>
    behaviour !== 'ignores' &&
    id !== undefined &&
    sent.some(({ reservedId, state }) => reservedId === id && (state === 'approved' || state === 'declined'))

  /** What PayConex may still approve of an attempt. */
  const isOpen = ({ state, reservedId }: Sent) => state === 'pending' && !isCommitted(reservedId)

  const isCharge = ({ state, isReversed }: Sent) => state === 'approved' && !isReversed

  const isAbout = (record: PaymentRecord, attempt = record.attempt) =>
    [...abouts].some(
      (about) =>
        `${about.kind} ${about.customId}` === nameOf(record) &&
        about.attempt === attempt &&
        !isCommitted(about.reservedId),
    )

  /** Rules 2, 3 and 6: this attempt is not charged, and never will be. */
  function mustBeUncharged(record: PaymentRecord, attempt: number, why: string): void {
    const sends = sendsOf(record, attempt)
    if (sends.some(isCharge)) fail('not charged means not charged', `${why}: attempt ${attempt} was charged`)
    if (sends.some(isOpen))
      fail('not charged means never charged', `${why}: PayConex may still charge attempt ${attempt}`)
    if (isAbout(record, attempt))
      fail('not charged means never charged', `${why}: attempt ${attempt} is about to be sent`)
  }

  // --- what the ledger does -------------------------------------------------------------------------------------------------

  async function watch({ process, name, args, run }: Command & { run: () => Promise<unknown> }): Promise<unknown> {
    ledgerSteps += 1
    try {
      const reply = await run()
      noteLease(process, name, '')
      if (isReply(reply)) {
        if (PUBLISHES.has(reply.verdict)) await laboratory.published()
        sees({ process, name, args }, reply)
      }
      return reply
    } catch (error) {
      const message = error instanceof Error ? error.message : ''
      if (/user_script/.test(message))
        fail('no step that an assertion must stop', `${process.name} ${name}: ${message.slice(0, 160)}`)
      throw error
    }
  }

  function sees(command: Command, { verdict, record }: Reply): void {
    const { name, process } = command
    world.note(
      () =>
        `    ${name}: ${verdict} -> ${record.state} attempt ${record.attempt}${record.owner ? ` owner ${record.owner.replace(/^.*?-([^-]*)\..*?(.{4})$/, '$1.$2')}` : ''}`,
    )
    count(verdicts, `${name} ${verdict}`)
    if (isBack) fail('a ledger that went back is not used', `${process.name} ${name}: ${verdict}`)
    const before = records.get(record.key)
    records.set(record.key, record)
    checkLeave(command, verdict, before, record)
    const { remark } = name === 'finish' ? (command.args[2] as { remark?: string }) : {}
    if (verdict === 'finished' && remark === 'contradiction') doubted.add(record.method)
    const edge = edgeOf(verdict, before, record)
    if (edge === undefined) return
    count(edges, edge)
    if (!EDGE_NAMES.has(edge)) fail('no step outside the table', `${name}: ${edge}`)
    checkStep(record, before, `${process.name} ${name}`)
  }

  function edgeOf(verdict: string, before: PaymentRecord | undefined, after: PaymentRecord): string | undefined {
    const isStep =
      before?.state !== after.state ||
      before.attempt !== after.attempt ||
      PERMISSIONS.has(verdict) ||
      (verdict === 'finished' && (after.state === 'unconfirmed' || after.state === 'reversing'))
    return isStep ? `${before?.state ?? '(none)'} -> ${after.state}` : undefined
  }

  function checkStep(record: PaymentRecord, before: PaymentRecord | undefined, who: string): void {
    const { state, attempt } = record
    const isNext = attempt === (before?.attempt ?? 0) + 1
    if (state === 'accepted' ? !isNext : attempt !== before?.attempt) fail('attempts are counted', `${who}: ${attempt}`)
    const why = `${who}: ${before?.state ?? '(none)'} -> ${state}`
    if (state === 'accepted' || before?.state === 'accepted') {
      for (let earlier = 1; earlier < attempt; earlier += 1) mustBeUncharged(record, earlier, why)
    }
    if (state === 'not_sent') mustBeUncharged(record, attempt, why)
    if (state === 'not_sent' && before?.state === 'unconfirmed') {
      const { sent: sentAt = Number.POSITIVE_INFINITY, absent = Number.POSITIVE_INFINITY } = before
      const isProven = record.now - sentAt >= times.absenceMs && record.now - absent >= times.repeatAfterMs
      if (!isProven) fail('not found once is not absent', why)
    }
    if (state === 'declined') {
      mustBeUncharged(record, attempt, why)
      const isDeclined = sendsOf(record).some((one) => one.state === 'declined')
      if (!isDeclined && !wasRefused) fail('declined means declined', `${why}: PayConex did not decline it`)
    }
    if (state === 'approved' && before?.state !== 'reversing') {
      if (!sendsOf(record).some((one) => isCharge(one) && one.id === record.id)) {
        fail('approved means approved', `${why}: PayConex has no ${record.id}`)
      }
    }
    const reversals = sent.filter(({ kind, chargeId }) => kind === 'REVERSAL' && chargeId === record.id)
    if (state === 'approved' && before?.state === 'reversing') {
      if (sent.some(({ id, isReversed }) => id === record.id && isReversed))
        fail('kept means kept', `${why}: it was reversed`)
      if (reversals.some(isOpen)) fail('kept means kept', `${why}: PayConex may still reverse it`)
      if ([...abouts].some(({ kind, customId }) => kind === 'REVERSAL' && customId === record.custom_id)) {
        fail('kept means kept', `${why}: its reversal is about to be sent`)
      }
    }
    if (state === 'reversed' && !sent.some(({ id, isReversed }) => id === record.id && isReversed)) {
      fail('reversed means reversed', why)
    }
    if (state === 'reversing' && before?.state === 'approved' && before.heard) fail('nothing heard is undone', why)
  }

  /** What each script must have compared before it said yes. */
  function checkLeave(
    { process, name, args }: Command,
    verdict: string,
    before: PaymentRecord | undefined,
    after: PaymentRecord,
  ) {
    const who = `${process.name} ${name}`
    const elapsed = after.now - after.first
    const named = args[0] as { attempt?: number }
    if (YES.has(verdict) && named.attempt !== after.attempt) fail('an attempt is the one that is meant', who)
    if (verdict === 'fenced' && !(elapsed >= 0 && elapsed < times.sendByMs)) fail('nothing is sent after SEND_BY', who)
    if (verdict === 'permitted') {
      if (before?.owner !== args[1]) fail('who lost a payment sends nothing more', who)
      if (elapsed < 0 || elapsed >= times.answerByMs - times.repeatAfterMs)
        fail('no repeat that nobody can hear of', who)
      if (after.now - (before?.sent ?? 0) < times.repeatAfterMs) fail('no repeat too soon', who)
      if (doubted.has(after.method)) fail('no repeat after a contradiction', who)
    }
    if (verdict === 'finished' && !isOwner(before, args[1])) fail('who lost a payment writes nothing', who)
    if (verdict === 'withdrawn' && (args[2] as { whenExpired?: boolean } | undefined)?.whenExpired) {
      if (elapsed >= 0 && elapsed < times.sendByMs) fail('no payment is given up too early', who)
    }
    if (verdict === 'new' && before?.state === 'accepted') {
      const age = after.now - before.first
      if (before.fingerprint !== after.fingerprint) fail('another request does not replace one that waits', who)
      if (age >= 0 && age < times.sendByMs) fail('no payment is given up too early', who)
    }
    if (verdict === 'new' && before?.state === 'declined' && before.fingerprint === after.fingerprint) {
      fail('a decline is never tried again', who)
    }
    const isBegun = verdict === 'reversing' && before?.state === 'approved'
    if (isBegun && elapsed < times.listeningMs) fail('nothing is undone while somebody may ask', who)
    if (verdict === 'taken') checkTaken(args, before, who)
    if (verdict === 'released' && before?.owner !== args[1]) fail('nobody gives away what another owns', who)
    noteLease(process, name, verdict)
  }

  /** Rule 5: nothing is taken from a worker that lives, except by itself. */
  function checkTaken(args: unknown[], before: PaymentRecord | undefined, who: string): void {
    const { state = 'accepted', owner = '' } = before ?? {}
    const isForgotten = (args[2] as { isForgotten?: boolean } | undefined)?.isForgotten
    const worker = owner.slice(0, owner.lastIndexOf('.'))
    const left = (leases.get(worker) ?? 0) - world.ledgerNow()
    const isAlive = left > 0 && left <= times.leaseMs
    if (!TAKEN.has(state)) fail('only what is open is taken over', `${who}: ${state}`)
    const isOwned = state === 'sending' || state === 'reversing'
    if (isOwned && isAlive && !isForgotten && owner !== args[1]) fail('nothing is taken from a worker that lives', who)
  }

  function noteLease(process: Process, name: string, verdict: string): void {
    const left = (leases.get(process.worker) ?? 0) - world.ledgerNow()
    const isFresh = left >= times.leaseMs / 2 && left <= times.leaseMs
    const isShown = (PERMISSIONS.has(verdict) || verdict === 'taken') && !isFresh
    if (isShown || name === 'renewLease') leases.set(process.worker, world.ledgerNow() + times.leaseMs)
    if (name === 'dropLease') leases.delete(process.worker)
  }

  /** A worker hears that it may send. */
  function answered({ process, name, args, reply }: Command & { reply: unknown }): void {
    if (!isReply(reply)) return
    const { verdict, record } = reply
    // An attempt of another request under the same id says nothing about this caller's.
    const isOwn = name === 'admit' && verdict !== 'reused'
    if (isOwn) seats.get((args[0] as { seat: string }).seat)?.attempts.set(record.attempt, record)
    if (!PERMISSIONS.has(verdict)) return
    const { custom_id: customId, attempt, method } = record
    const kind = verdict === 'reversing' ? 'REVERSAL' : method === 'charge' ? 'SALE' : 'STORE'
    const reservedId = verdict === 'reversing' ? record.reversal : record.reserved
    permissions.push({ process, kind, customId, attempt, reservedId, askedAt: world.now(), isUsed: false })
  }

  // --- what PayConex is asked -----------------------------------------------------------------------------------------------

  /** Rule 3: nothing leaves without leave. Answers which attempt it is for. */
  function submits(process: Process, asked: Omit<Request, 'attempt'> & { isRepeat: boolean }): number {
    const permission = permissions.findLast(
      (one) =>
        one.process === process &&
        one.kind === asked.kind &&
        one.customId === asked.customId &&
        one.reservedId === asked.reservedId,
    )
    const name = `${process.name} sends ${asked.kind} ${asked.customId}`
    if (!permission) {
      fail('nothing is sent without leave', name)
      return 0
    }
    if (world.now() - permission.askedAt > times.sendWindowMs) fail('leave to send is fresh', name)
    const earlier = sent.find(
      ({ kind, customId, attempt, reservedId }) =>
        kind === asked.kind &&
        kind !== 'REVERSAL' &&
        customId === asked.customId &&
        attempt === permission.attempt &&
        (reservedId !== asked.reservedId || reservedId === undefined),
    )
    if (earlier) fail('a repeat goes under the same id', name)
    return permission.attempt
  }

  function about(process: Process, request: Request) {
    const mine = { ...request }
    abouts.add(mine)
    const end = () => void abouts.delete(mine)
    process.onCrash.push(end)
    return { end }
  }

  function received(one: Sent): void {
    sent.push(one)
    const same = sent.filter(
      ({ kind, customId, attempt, reservedId }) =>
        kind === one.kind && customId === one.customId && attempt === one.attempt && reservedId === one.reservedId,
    )
    if (same.length > 1) count(verdicts, `PayConex received ${one.kind} again`)
  }

  /** Rule 1, live. */
  function approved(one: Sent): void {
    if (one.kind === 'REVERSAL') return
    const charges = sent.filter(
      ({ kind, customId, state }) => kind === one.kind && customId === one.customId && state === 'approved',
    )
    if (charges.length > 1)
      fail('charged at most once', `${one.kind} ${one.customId}: ${charges.map(({ id }) => id).join(', ')}`)
  }

  function reversed(one: Sent, charge: Sent | undefined): void {
    if (!charge) fail('only what was charged is reversed', one.chargeId ?? '')
    const heard = told.find(({ verdict }) => verdict.kind === 'approved' && verdict.transactionId === charge?.id)
    if (heard) fail('nothing heard is undone', `${charge?.id} was reversed after a caller was told`)
  }

  // --- what callers hear ----------------------------------------------------------------------------------------------------

  /** Tells which try took which seat. */
  const seated =
    (enter: (key: string, hungUp: HungUp) => Seat) =>
    (key: string, hungUp: HungUp): Seat => {
      const seat = enter(key, hungUp)
      const call = signals.get(hungUp)
      if (call) seats.set(seat.name, call)
      return seat
    }

  function hears(call: Call, verdict: Verdict): void {
    world.note(() => `    caller ${call.nth} hears ${JSON.stringify(verdict)}`)
    count(verdicts, `told ${verdict.kind}`)
    told.push({ call, verdict })
    checkTold(call, verdict)
  }

  function checkTold(call: Call, verdict: Verdict): void {
    const { order } = call
    const kind = order.method === 'charge' ? 'SALE' : 'STORE'
    const who = `caller ${call.nth} of ${order.transactionId}`
    const mine = sent.filter((one) => one.kind === kind && one.customId === order.transactionId)
    if (verdict.kind === 'approved') {
      const charge = mine.find(({ id, state }) => id === verdict.transactionId && state === 'approved')
      if (!charge) fail('approved means approved', `${who}: PayConex has no ${verdict.transactionId}`)
      else if (charge.isReversed) fail('approved means approved', `${who}: ${charge.id} was reversed`)
      else if (charge.amount !== requestOf(order).request.amount) fail('approved is what was asked', who)
    }
    if (verdict.kind === 'not_processed' || verdict.kind === 'declined') {
      if (call.attempts.size === 0) fail('nothing is said about what is not known', `${who}: ${verdict.kind}`)
      for (const [attempt, record] of call.attempts) mustBeUncharged(record, attempt, `${who} was told ${verdict.kind}`)
    }
    if (verdict.kind === 'declined' && !wasRefused && !mine.some(({ state }) => state === 'declined')) {
      fail('declined means declined', `${who}: PayConex did not decline it`)
    }
  }

  // --- at the end -----------------------------------------------------------------------------------------------------------

  function checkEnd({
    open,
    sealed,
    isSound,
  }: {
    open: readonly string[]
    sealed: readonly string[]
    isSound: boolean
  }): void {
    for (const { call, verdict } of told) checkTold(call, verdict)
    if (isBack) return
    if (!isSound) fail('it ends', 'it goes on and on')
    for (const record of records.values()) {
      const { state } = record
      if (!FINAL.has(state) && state !== 'review') fail('everything ends', `${record.custom_id} stays ${state}`)
      if (FINAL.has(state) && open.includes(record.key)) fail('everything ends', `${record.custom_id} stays open`)
    }
    if (sealed.length > 0) fail('nothing sealed is left', sealed.join(', '))
  }

  return {
    seated,
    calls: (signal: AbortSignal, call: Call) => void signals.set(signal, call),
    watch,
    answered,
    submits,
    about,
    received,
    approved,
    reversed,
    refusedReservation: () => {
      wasRefused = true
    },
    wentBack: (process: Process) => {
      if (!isBack) fail('a right ledger is not refused', process.name)
    },
    goesBack: () => {
      isBack = true
    },
    hears,
    checkEnd,
    fail,
    edges,
    verdicts,
    records: () => [...records.values()],
    violation: () => violation,
    ledgerSteps: () => ledgerSteps,
    isBack: () => isBack,
  }
}

/** The record of a payment that is over keeps the end of its owner's token. */
const isOwner = ({ state, owner = 'nobody' }: Partial<PaymentRecord> = {}, token: unknown) =>
  owner === token || (state !== undefined && FINAL.has(state) && String(token).endsWith(owner))

const isReply = (reply: unknown): reply is Reply => typeof reply === 'object' && reply !== null && 'verdict' in reply
