import type { Answer } from './answers.ts'
import type { Entry } from './ledger.ts'
import { invalidField, type Refusal, USED_ID } from './refusals.ts'
import type { RepeatRule, SettingsBox } from './settings.ts'

/** What a request gets when it asks to become the transaction with a certain id. */
export type Claim =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'replayed'; readonly entry: Entry }
  | {
      readonly kind: 'granted'
      readonly id: string
      readonly reserved: boolean
      /** To be called once, whatever happens; with the entry if the transaction was committed. */
      release(entry?: Entry): void
    }

/** An id handed out by GET_TRANSACTION_ID. */
interface Reservation {
  readonly accountId: string
  /** The first transaction that took the id. */
  entry?: Entry
  inFlight: number
  /** Wakes the repeats that wait for the first request to end. */
  readonly waiting: (() => void)[]
}

/** Transaction ids: twelve digits, zero-padded, rising, one sequence for reserved ids and for those PayConex chooses
 * itself. It starts at the clock and goes on over a reset: callers keep books of their own, and an id from before a
 * restart must never name another payment. */
export function createReservations(settings: SettingsBox) {
  let last = Date.now() - Date.UTC(2025, 0, 1)
  let reservations = new Map<string, Reservation>()
  let latest = new Map<string, string>()

  const nextId = () => String(++last).padStart(12, '0')

  async function claim(accountId: string, id: string | undefined): Promise<Claim> {
    if (id === undefined || !settings.current.honourReservedIds) {
      return { kind: 'granted', id: nextId(), reserved: false, release() {} }
    }
    const reservation = reservations.get(id)
    if (reservation?.accountId !== accountId) return { kind: 'refused', refusal: invalidField('transaction_id') }
    const { usedId, usedIdInFlight } = settings.current
    if (reservation.entry) return repeat(usedId, id, reservation, reservation.entry)
    if (reservation.inFlight === 0) return grant(id, reservation)
    return usedIdInFlight === 'replay'
      ? replayLater(accountId, id, reservation)
      : repeat(usedIdInFlight, id, reservation)
  }

  /** Waits for the first request; when that one ends without a transaction, the id is free and the repeat takes it. */
  async function replayLater(accountId: string, id: string, reservation: Reservation): Promise<Claim> {
    await new Promise<void>((resolve) => reservation.waiting.push(resolve))
    return reservation.entry ? { kind: 'replayed', entry: reservation.entry } : claim(accountId, id)
  }

  return {
    nextId,
    claim,
    reserve(accountId: string): string {
      const id = nextId()
      reservations.set(id, { accountId, inFlight: 0, waiting: [] })
      latest.set(accountId, id)
      return id
    },
    /** The id this account was given last, for the fault that gives it out a second time. */
    latestOf: (accountId: string): string | undefined => latest.get(accountId),
    clear() {
      reservations = new Map()
      latest = new Map()
    },
  }
}

function repeat(rule: RepeatRule, id: string, reservation: Reservation, entry?: Entry): Claim {
  if (rule === 'accept') return grant(id, reservation)
  return rule === 'replay' && entry ? { kind: 'replayed', entry } : { kind: 'refused', refusal: USED_ID }
}

function grant(id: string, reservation: Reservation): Claim {
  reservation.inFlight += 1
  return { kind: 'granted', id, reserved: true, release: (entry) => release(reservation, entry) }
}

function release(reservation: Reservation, entry?: Entry) {
  reservation.inFlight -= 1
  if (entry) reservation.entry ??= entry
  for (const wake of reservation.waiting.splice(0)) wake()
}

/** What a reservation answers. Its members are our guess: Bluefin's page shows none of them but the id. */
export const reservedAnswer = (id: string): Answer => ({
  transaction_id: id,
  error: false,
  error_code: 0,
  error_message: null,
})
