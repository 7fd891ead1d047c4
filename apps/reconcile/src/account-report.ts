import type { Row } from './report-row.ts'

/** What PayConex shows of a payment: a charge, or a card that was stored. */
export type Charge = {
  readonly id: string
  readonly method: 'charge' | 'tokenize'
  readonly customId: string | undefined
  readonly cents: number
  /** PayConex' own time, without a zone. */
  readonly at: string
  readonly isApproved: boolean
  /** Only its capture is in these days: the authorisation came before, and may have been for more. */
  readonly isCapture: boolean
}

export type AccountReport = ReturnType<typeof createAccountReport>

/** All that PayConex shows of one account in the days that were asked for. */
export function createAccountReport() {
  const byId = new Map<string, Charge[]>()
  const byCustomId = new Map<string, Charge[]>()
  const undone = new Map<string, number>()
  const unnamedUndoes = new Set<string>()
  const captures: Charge[] = []
  let hasToken = false

  function addCharge(charge: Charge): void {
    push(byId, charge.id, charge)
    if (charge.customId !== undefined) push(byCustomId, nameOf(charge.method, charge.customId), charge)
  }

  return {
    add(row: Row): void {
      if (row.kind === 'undo') this.addUndo(row)
      else if (row.kind === 'capture') captures.push(toCharge(row))
      else addCharge(toCharge(row))
      hasToken ||= row.kind === 'token'
    },

    /** What was taken back, also of charges of other days. */
    addUndo({ id, originalId, cents, isApproved, isWhole }: Row): void {
      if (!isApproved) return
      if (originalId === undefined) unnamedUndoes.add(id)
      else undone.set(originalId, (undone.get(originalId) ?? 0) + (isWhole ? Number.POSITIVE_INFINITY : cents))
    },

    /** After the last row: a capture is a charge only where its authorisation is not among the rows. */
    close(): void {
      for (const capture of captures) if (!byId.has(capture.id)) addCharge(capture)
      captures.length = 0
    },

    /** Those that are about this payment: under one of its ids, or under its name. */
    of({ method, customId, ids }: { method: Charge['method']; customId: string; ids: readonly string[] }): Charge[] {
      const named = byCustomId.get(nameOf(method, customId)) ?? NONE
      const identified = ids.flatMap((id) => byId.get(id) ?? NONE).filter((charge) => charge.method === method)
      return identified.length === 0 ? [...named] : [...new Set([...named, ...identified])]
    },

    /** Whether it shows any stored card: whether reports do is not documented. */
    showsTokens: () => hasToken,

    *charges(): Generator<Charge> {
      for (const charges of byId.values()) yield* charges
    },

    /** Whether all that was taken under its id was given back, so far as the report says what was. */
    isUndone({ id, method }: Charge): boolean {
      if (method === 'tokenize') return false
      const taken = (byId.get(id) ?? NONE).filter(({ isApproved }) => isApproved)
      const back = undone.get(id)
      return back !== undefined && back >= taken.reduce((sum, { cents }) => sum + cents, 0)
    },

    /** Whether this reversal was done, in a report that does not say of what: it is of the one charge that is named here. */
    isReversedBy: ({ id }: Charge, reversal: string) => unnamedUndoes.has(reversal) && byId.get(id)?.length === 1,
  }
}

const NONE: readonly Charge[] = []

const nameOf = (method: Charge['method'], customId: string) => `${method}|${customId}`

const toCharge = ({ kind, id, customId, cents, at, isApproved }: Row): Charge => ({
  id,
  method: kind === 'token' ? 'tokenize' : 'charge',
  customId,
  cents,
  at,
  isApproved,
  isCapture: kind === 'capture',
})

function push(map: Map<string, Charge[]>, name: string, charge: Charge): void {
  const known = map.get(name)
  if (known) known.push(charge)
  else map.set(name, [charge])
}
