import { expect, test } from 'vitest'
import { sale, withSimulator } from './testing.ts'

const today = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone: 'America/Chicago' }).format()
const asked = { response_format: 'JSON', transaction_date: today }

type Row = { custom_id?: string; transaction_amount: number; transaction_approved: boolean }

const rowsOf = async (response: globalThis.Response) => (await response.json()) as Row[]
const idsOf = async (response: globalThis.Response) => (await rowsOf(response)).map(({ custom_id }) => custom_id)

test('a report has the transactions of its day and account, approved or not', () =>
  withSimulator(async ({ qsapi, post }) => {
    await qsapi({ ...sale, custom_id: 'a', transaction_amount: '2.50' })
    await qsapi({ ...sale, custom_id: 'b', transaction_amount: '1.01' })
    await qsapi({ ...sale, custom_id: 'c', account_id: '120614968999' })

    const rows = await rowsOf(await post('/api/rsapi/3.8', asked))

    expect(rows).toMatchObject([
      { custom_id: 'a', transaction_amount: 2.5, transaction_approved: true, error_code: 0 },
      { custom_id: 'b', transaction_amount: 1.01, transaction_approved: false, error_code: 30002 },
    ])
    expect(JSON.stringify(rows)).not.toContain(sale.card_number)
  }))

test('of the approved alone, where only they are asked for', () =>
  withSimulator(async ({ qsapi, post }) => {
    await qsapi({ ...sale, custom_id: 'a' })
    await qsapi({ ...sale, custom_id: 'b', transaction_amount: '1.01' })

    expect(await idsOf(await post('/api/rsapi/3.8', { ...asked, status: 'APPROVED' }))).toEqual(['a'])
  }))

test.each([
  ['another day', { transaction_date: '2020-01-01' }, []],
  ['a range around today', { start_date: '2020-01-01', end_date: '2999-01-01' }, ['a']],
  ['a range, which wins over the day', { transaction_date: today, end_date: '2020-01-01' }, []],
  ['a range without an end', { start_date: today }, ['a']],
])('a report of %s', (_, days, ids) =>
  withSimulator(async ({ qsapi, post }) => {
    await qsapi({ ...sale, custom_id: 'a' })

    expect(await idsOf(await post('/api/rsapi/3.8', { response_format: 'JSON', ...days }))).toEqual(ids)
  }),
)

test.each([
  [true, ['b']],
  [false, ['a', 'b']],
])('a report by custom_id, where that is looked at: %s', (reportFiltersByCustomId, ids) =>
  withSimulator(async ({ qsapi, post, control }) => {
    await control('/settings', { reportFiltersByCustomId })
    for (const custom_id of ['a', 'b']) await qsapi({ ...sale, custom_id })

    expect(await idsOf(await post('/api/rsapi/3.8', { ...asked, custom_id: 'b' }))).toEqual(ids)
  }),
)

test('without response_format a report comes as CSV', () =>
  withSimulator(async ({ qsapi, post }) => {
    await qsapi({ ...sale, custom_id: 'say "a"' })

    const response = await post('/api/rsapi/3.8', { transaction_date: today })

    const [head = '', row = ''] = (await response.text()).split('\r\n')
    expect(response.headers.get('content-type')).toContain('text/csv')
    expect(head.split(',')).toContain('"custom_id"')
    expect(row).toContain('"say ""a"""')
  }))

test.each([
  [{ response_format: 'JSON' }, 'Invalid transaction_date'],
  [{ response_format: 'JSON', transaction_date: 'today' }, 'Invalid transaction_date'],
  [{ response_format: 'JSON', start_date: 'x' }, 'Invalid start_date'],
  [{ ...asked, api_accesskey: 'wrong' }, 'Invalid api_accesskey'],
])('no report, but a reason: %j', (fields, error_message) =>
  withSimulator(async ({ post }) => {
    const response = await post('/api/rsapi/3.8', fields)

    expect(await response.json()).toMatchObject({ error: true, error_message })
  }),
)

test('a report has a transaction on the day of PayConex’ own clock', () =>
  withSimulator(async ({ qsapi, post, control }) => {
    await control('/settings', { clockShiftMs: -3 * 24 * 60 * 60 * 1000 })
    await qsapi({ ...sale, custom_id: 'a' })

    expect(await idsOf(await post('/api/rsapi/3.8', asked))).toEqual([])
    expect(await idsOf(await post('/api/rsapi/3.8', { response_format: 'JSON', end_date: today }))).toEqual(['a'])
  }))
