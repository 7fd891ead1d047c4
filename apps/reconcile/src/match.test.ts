import type { PaymentRecord, State } from '@pay/ledger'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Kind } from './finding.ts'
import { createMatch } from './match.ts'
import type { Row } from './report-row.ts'
import { ACCOUNT, day, kindsOf, matched, NOON_MS, record, reportOf, row, undo } from './testing.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const another = { id: '000000000002' }
const declined = row({ isApproved: false })
const token = { kind: 'token', cents: 0 } as const

describe('a payment agrees', () => {
  it.each<[string, PaymentRecord, Row[]]>([
    ['approved and charged', record(), [row()]],
    ['approved, charged, and given back since', record(), [row(), undo()]],
    ['approved, and a part given back', record(), [row(), undo({ cents: 400 })]],
    ['declined, and shown so', record({ state: 'declined' }), [declined]],
    ['declined, and not shown', record({ state: 'declined' }), []],
    ['not sent, and not shown', record({ state: 'not_sent' }), []],
    ['approved after an attempt that was declined', record({ ...another }), [declined, row(another)]],
    ['reversed, and undone', record({ state: 'reversed' }), [row(), undo()]],
    ['reversed, and undone as a whole', record({ state: 'reversed' }), [row(), undo({ cents: 0, isWhole: true })]],
    [
      'reversed under its reserved id, of which the report does not say what it undid',
      record({ state: 'reversed', reversal: '000000000009' }),
      [row(), undo({ originalId: undefined })],
    ],
    ['charged twice, of which one was given back', record(), [row(), row(another), undo({ originalId: another.id })]],
    ['an authorisation and its capture', record(), [row(), row({ kind: 'capture', cents: 900 })]],
    ['the capture alone, of an authorisation of another day', record(), [row({ kind: 'capture', cents: 900 })]],
    ['a stored card', record({ method: 'tokenize' }), [row(token)]],
    ['known by its id, in a report without custom_id', record(), [row({ customId: undefined })]],
    ['declined, with a stored card of the same transaction_id', record({ state: 'declined' }), [row(token)]],
  ])('%s', (name, payment, rows) => {
    const others = name.endsWith('same transaction_id') ? [record({ key: 'p_2', method: 'tokenize' })] : []

    expect(matched([payment, ...others], rows).findings).toEqual([])
  })
})

describe('a payment disagrees', () => {
  it.each<[Kind, string, PaymentRecord[], Row[]]>([
    ['orphan', 'a charge that the ledger never knew', [], [row()]],
    ['orphan', 'a charge without a custom_id', [], [row({ customId: undefined })]],
    ['orphan', 'a stored card that the ledger never knew', [], [row(token)]],
    ['denied', 'declined, and charged', [record({ state: 'declined' })], [row()]],
    ['denied', 'not sent, and charged under another id', [record({ state: 'not_sent' })], [row(another)]],
    ['not_reversed', 'reversed, and still charged', [record({ state: 'reversed' })], [row()]],
    ['not_reversed', 'reversed, and undone in part', [record({ state: 'reversed' })], [row(), undo({ cents: 999 })]],
    [
      'not_reversed',
      'reversed, where the undoing was refused',
      [record({ state: 'reversed', reversal: '000000000009' })],
      [row(), undo({ isApproved: false })],
    ],
    [
      'not_reversed',
      'reversed, with a second charge that was not',
      [record({ state: 'reversed', reversal: '000000000009' })],
      [row(), row(another), undo()],
    ],
    [
      'not_reversed',
      'reversed in a report that does not say of what, with a second charge',
      [record({ state: 'reversed', reversal: '000000000009' })],
      [row(), row(another), undo({ originalId: undefined })],
    ],
    [
      'not_reversed',
      'reversed in a report that does not say of what, charged twice under one id',
      [record({ state: 'reversed', reversal: '000000000009' })],
      [row(), row(), undo({ originalId: undefined })],
    ],
    ['missing', 'approved, and not there', [record()], []],
    ['missing', 'approved, and declined there', [record()], [declined]],
    ['double', 'charged twice under one custom_id', [record()], [row(), row(another)]],
    ['double', 'charged twice under one id', [record()], [row(), row()]],
    ['double', 'not known here, and charged twice', [record({ state: 'unconfirmed' })], [row(), row(another)]],
    ['amount', 'charged with more', [record()], [row({ cents: 1001 })]],
    ['amount', 'captured for more', [record()], [row({ kind: 'capture', cents: 1001 })]],
    ['id', 'charged under another id', [record()], [row(another)]],
    ['id', 'charged under another custom_id', [record()], [row({ customId: 'tx-2' })]],
    ['id', 'its own charge given back, another one left', [record()], [row(), row(another), undo()]],
    ...(['accepted', 'sending', 'unconfirmed', 'reversing', 'review'] as State[]).map(
      (state): [Kind, string, PaymentRecord[], Row[]] => ['unresolved', state, [record({ state })], [row()]],
    ),
    ['unresolved', 'not known here, nothing there', [record({ state: 'unconfirmed' })], []],
  ])('%s: %s', (kind, _, records, rows) => {
    expect(kindsOf(matched(records, rows))).toEqual([kind])
  })

  it('before others that cost a payer nothing, and in the order in which it happened', () => {
    const late = record({ key: 'p_3', custom_id: 'tx-3', id: '3', reserved: '3', first: NOON_MS + 1 })
    const orphans = [row({ id: '5', customId: 'b', at: '2026-11-28 13:00:00' }), row({ id: '6', customId: 'a' })]

    const result = matched(
      [late, record(), record({ key: 'p_2', state: 'declined', custom_id: 'tx-2' })],
      [row({ id: '4', customId: 'tx-2' }), ...orphans],
    )

    expect(kindsOf(result)).toEqual(['denied', 'orphan', 'orphan', 'missing', 'missing'])
    expect(result.findings).toMatchObject([
      {},
      { there: [{ id: '6' }] },
      { there: [{ id: '5' }] },
      { here: { custom_id: 'tx-1' } },
      { here: { custom_id: 'tx-3' } },
    ])
  })

  it('and is told with both sides', () => {
    const { findings } = matched([record({ state: 'unconfirmed' })], [declined])

    expect(findings).toMatchObject([
      { account: ACCOUNT, here: { state: 'unconfirmed' }, there: [{ isApproved: false }] },
    ])
  })
})

describe('the day of a match', () => {
  const before = { at: '2026-11-27 23:59:59' }
  const after = { at: '2026-11-29 00:00:01' }
  const lastMoment = day.until - 1

  it.each<[string, PaymentRecord[], Row[], Kind[]]>([
    ['begins a payment that is charged on the next', [record({ first: lastMoment })], [row(after)], []],
    [
      'ends one that began on the day before',
      [record({ first: day.from - 1 })],
      [row({ at: '2026-11-28 00:00:02' })],
      [],
    ],
    [
      'does not name what is missing on another',
      [record({ first: day.until }), record({ key: 'p', first: day.from - 1 })],
      [],
      [],
    ],
    ['names what is missing from its first moment', [record({ first: day.from })], [], ['missing']],
    ['names what is missing until its last', [record({ first: lastMoment })], [], ['missing']],
    ['does not name orphans of another', [], [row(before), row({ ...after, ...another, customId: 'tx-2' })], []],
    ['names a second charge of the next', [record()], [row(), row({ ...another, ...after })], ['double']],
    [
      'names a charge of it for a payment of the day before',
      [record({ first: day.from - 1 })],
      [row({ cents: 1 })],
      ['amount'],
    ],
    [
      'names a charge of an id that was used again days later',
      [record({ first: day.until + DAY_MS, ...another })],
      [row()],
      ['id'],
    ],
  ])('%s', (_, records, rows, kinds) => {
    expect(kindsOf(matched(records, rows))).toEqual(kinds)
  })
})

describe('what is counted', () => {
  it('is what is here, what is there, and what agrees', () => {
    const records = [
      record(),
      record({ custom_id: 'tx-2', id: '000000000002', reserved: '000000000002' }),
      record({ custom_id: 'tx-3', state: 'declined' }),
    ]
    const rows = [row(), row({ customId: 'tx-2', id: '000000000002' }), undo({ originalId: '000000000002' })]

    const { here, there } = matched([...records, ...records], rows)

    expect(here).toEqual({ approved: 2, declined: 1 })
    expect(there).toEqual({ approved: 2, matched: 2, undone: 1, unnamed: 0 })
  })

  it('are payments of accounts nobody asks about, once for each account', () => {
    const others = [record({ account: '120615000009' }), record({ account: '120615000009', key: 'p_2' })]

    expect(matched(others, []).findings).toEqual([{ kind: 'not_checked', account: '120615000009', payments: 2 }])
    expect(matched(others, [], { isPassedOver: () => true })).toMatchObject({ findings: [], passedOver: 2 })
  })

  it('are charges without a custom_id, where they are to be left out', () => {
    const result = matched([], [row({ customId: undefined }), row(another)], { ignoresUnnamed: true })

    expect(kindsOf(result)).toEqual(['orphan'])
    expect(result.there.unnamed).toBe(1)
  })

  it('are stored cards, where the report shows none at all; where it shows some, one is missing', () => {
    const tokens = [record({ method: 'tokenize' })]

    expect(matched(tokens, [])).toMatchObject({ findings: [], tokensNotShown: 1 })
    expect(kindsOf(matched(tokens, [row({ ...token, ...another, customId: 'tx-2' })]))).toEqual(['orphan', 'missing'])
  })
})

describe('what was given back later', () => {
  it('is no finding any more', () => {
    const report = reportOf([row(), row({ ...another, customId: 'tx-2' })])
    const match = createMatch({ day, reports: new Map([[ACCOUNT, report]]) })
    match.see(record({ state: 'reversed' }))

    const doubtful = match.doubtful()
    report.addUndo(undo())
    report.addUndo(undo({ originalId: another.id }))

    expect(doubtful).toEqual([ACCOUNT])
    expect(match.conclude().findings).toEqual([])
    expect(match.doubtful()).toEqual([])
  })

  it('is not looked for where nothing is charged', () => {
    const match = createMatch({ day, reports: new Map([[ACCOUNT, reportOf([])]]) })
    match.see(record())

    expect(match.doubtful()).toEqual([])
  })
})

/** A payment as it can be found on a day without faults, with what PayConex shows of it. */
const pair = fc
  .record({
    state: fc.constantFrom<State>('approved', 'declined', 'not_sent', 'reversed'),
    method: fc.constantFrom<'charge' | 'tokenize'>('charge', 'tokenize'),
    cents: fc.integer({ min: 1, max: 99_999_999 }),
    sinceNoonMs: fc.integer({ min: -20 * 60 * 60 * 1000, max: 20 * 60 * 60 * 1000 }),
    tookMs: fc.integer({ min: 0, max: 55_000 }),
    isNamed: fc.boolean(),
    isRefunded: fc.boolean(),
    wasDeclined: fc.boolean(),
  })
  .map(({ state, method, ...rest }) => ({
    ...rest,
    method,
    state: method === 'tokenize' && state === 'reversed' ? 'declined' : state,
  }))

type Pair = typeof pair extends fc.Arbitrary<infer Value> ? Value : never

const central = new Intl.DateTimeFormat('sv-SE', {
  dateStyle: 'short',
  timeStyle: 'medium',
  timeZone: 'America/Chicago',
})
const idOf = (nth: number, kind = 0) => String(kind * 1_000_000 + nth + 1).padStart(12, '0')

function world(pairs: readonly Pair[]) {
  const records = pairs.map(({ state, method, cents, sinceNoonMs }, nth) => {
    const isDone = state === 'approved' || state === 'reversed'
    const amount = method === 'charge' ? { amount: (cents / 100).toFixed(2) } : {}
    const { amount: _, id: __, ...rest } = record()
    const ids = { reserved: idOf(nth), ...(isDone && { id: idOf(nth) }) }
    return {
      ...rest,
      ...amount,
      ...ids,
      key: `p_${nth}`,
      custom_id: `tx-${nth}`,
      state,
      method,
      first: NOON_MS + sinceNoonMs,
    }
  })
  const rows = pairs.flatMap(
    ({ state, method, cents, sinceNoonMs, tookMs, isNamed, isRefunded, wasDeclined }, nth): Row[] => {
      const at = central.format(NOON_MS + sinceNoonMs + tookMs)
      const kind = method === 'charge' ? 'charge' : 'token'
      const made = row({
        kind,
        id: idOf(nth),
        customId: isNamed ? `tx-${nth}` : undefined,
        cents: method === 'charge' ? cents : 0,
        at,
      })
      const refused = { ...made, id: idOf(nth, 1), isApproved: false }
      const back = undo({ id: idOf(nth, 2), originalId: made.id, cents, at })
      const isBack = state === 'reversed' || (state === 'approved' && isRefunded && method === 'charge')
      const isDone = state === 'approved' || state === 'reversed'
      return [...(wasDeclined ? [refused] : []), ...(isDone ? [made] : []), ...(isBack ? [back] : [])]
    },
  )
  return { records, rows }
}

const shuffled = <Value>(values: readonly Value[]) => [...values].sort((one, other) => hash(one) - hash(other))
const hash = (value: unknown) =>
  [...JSON.stringify(value)].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 65_521, 7)

const pairs = fc.array(pair, { maxLength: 30 })
const tokenRow = row({ kind: 'token', id: idOf(9_000, 3), customId: 'tx-t', at: '2026-11-27 01:00:00' })

describe('whatever a day brings', () => {
  it('without a fault there is no finding, in whatever order it is told', () => {
    fc.assert(
      fc.property(pairs, (given) => {
        const { records, rows } = world(given)

        const { findings, there } = matched(shuffled(records), shuffled(rows))

        expect(findings).toEqual([])
        expect(there.matched).toBe(there.approved)
      }),
    )
  })

  /** What goes wrong with a charge that was made and is named, in the afternoon. */
  const faults: Record<
    string,
    {
      kind: Kind
      plant: (target: { record: PaymentRecord; row: Row }) => {
        record?: Partial<PaymentRecord> | undefined
        rows: Row[]
        isForgotten?: boolean
      }
    }
  > = {
    orphan: { kind: 'orphan', plant: ({ row: made }) => ({ rows: [made], isForgotten: true }) },
    missing: { kind: 'missing', plant: () => ({ rows: [] }) },
    double: { kind: 'double', plant: ({ row: made }) => ({ rows: [made, { ...made, id: idOf(1, 5) }] }) },
    amount: { kind: 'amount', plant: ({ row: made }) => ({ rows: [{ ...made, cents: made.cents + 1 }] }) },
    id: { kind: 'id', plant: ({ row: made }) => ({ rows: [{ ...made, id: idOf(1, 5) }] }) },
    declined: { kind: 'denied', plant: ({ row: made }) => ({ rows: [made], record: { state: 'declined' } }) },
    not_sent: { kind: 'denied', plant: ({ row: made }) => ({ rows: [made], record: { state: 'not_sent' } }) },
    reversed: { kind: 'not_reversed', plant: ({ row: made }) => ({ rows: [made], record: { state: 'reversed' } }) },
    review: { kind: 'unresolved', plant: ({ row: made }) => ({ rows: [made], record: { state: 'review' } }) },
  }

  it.each(Object.entries(faults))('one %s among them is found, and nothing else', (_, { kind, plant }) => {
    fc.assert(
      fc.property(pairs, (given) => {
        const clean = { state: 'approved', method: 'charge', cents: 500, sinceNoonMs: 60_000, tookMs: 900 } as const
        const target = { ...clean, isNamed: true, isRefunded: false, wasDeclined: false }
        const { records, rows } = world([target, ...given])
        const [own, ...others] = records as [PaymentRecord, ...PaymentRecord[]]
        const [made, ...otherRows] = rows as [Row, ...Row[]]
        const planted = plant({ record: own, row: made })
        const left = planted.isForgotten ? others : [{ ...own, ...planted.record }, ...others]

        const { findings } = matched(shuffled(left), shuffled([...otherRows, ...planted.rows, tokenRow]))

        expect(kindsOf({ findings })).toEqual([kind])
        expect(findings[0]).toMatchObject({ there: planted.rows.map(({ id }) => ({ id })) })
      }),
    )
  })
})
