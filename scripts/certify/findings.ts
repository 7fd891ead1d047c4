/** What is asked of PayConex, in this order. */
export const QUESTIONS = {
  honoured: 'a sale sent under a reserved id gets that id',
  used: 'a sale sent again under a used id is not charged again',
  inFlight: 'nor is one sent while the first is still in flight',
  before: 'a look-up of an id that is not used yet says that there is nothing',
  during: 'a look-up of a sale in flight does not say that it was declined',
  after: 'a look-up of a sale that was approved says so',
  store: 'a stored card gets its reserved id, too',
  reversed: 'a sale can be reversed by its id',
} as const

export type Question = keyof typeof QUESTIONS

/** `unknown` where PayConex could not be asked, or its answer cannot be told apart. `heard` is what was heard, for people. */
export type Finding = { holds: 'yes' | 'no' | 'unknown'; heard: string }

export type Findings = Readonly<Record<Question, Finding>>

export type Conclusion = {
  settings: { PAYCONEX_RESERVE: 'required' | 'off'; LATE_APPROVAL: 'reverse' | 'report' }
  /** Why, and what else follows; a sentence each. */
  reasons: string[]
}

/** Which settings follow. What is not known to hold is not relied upon. */
export function conclude(findings: Findings): Conclusion {
  const holds = (question: Question) => findings[question].holds === 'yes'
  const repeats = (['honoured', 'used', 'inFlight', 'store'] as const).filter((question) => !holds(question))
  const canRepeat = repeats.length === 0
  const canReverse = canRepeat && holds('reversed') && holds('after')
  return {
    settings: {
      PAYCONEX_RESERVE: canRepeat ? 'required' : 'off',
      LATE_APPROVAL: canReverse ? 'reverse' : 'report',
    },
    reasons: [
      canRepeat
        ? 'a payment whose answer is lost is asked about, and sent once more where PayConex never had it'
        : `a payment whose answer is lost stays unconfirmed: ${repeats.map((question) => WITHOUT[question]).join('; ')}`,
      canReverse
        ? 'an approval that nobody can have heard of may be reversed'
        : 'an approval that nobody can have heard of is reported, for a person to reverse',
      ...(['before', 'during', 'after'] as const).filter((question) => !holds(question)).map((name) => WITHOUT[name]),
    ],
  }
}

const WITHOUT: Readonly<Record<Question, string>> = {
  honoured: 'an id that was reserved names nothing',
  used: 'a used id would charge a second time',
  inFlight: 'an id in use would charge a second time',
  before: 'an absence cannot be proven: a payment that never reached PayConex goes to review after five days',
  during:
    'a look-up may call a payment declined that is approved a moment later; this service believes it only after PAYCONEX_TIMEOUT_MS',
  after: 'a look-up does not find what was approved: unclear payments end as unconfirmed',
  store: 'tokenizing under a reserved id does not work',
  reversed: 'a reversal is refused',
}
