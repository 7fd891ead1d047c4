import { execFile } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startOf } from './day.ts'
import { ACCOUNT, NOON_MS, TODAY, ZONE } from './testing.ts'
import { CARD_NUMBER, KEY, openTrial, type Trial } from './testing-day.ts'

let trial: Trial

beforeAll(async () => {
  trial = await openTrial()
}, 60_000)

afterAll(() => trial?.close())

beforeEach(async () => {
  await trial.reset()
  await trial.at(NOON_MS)
})

const HOUR = 60 * 60 * 1000
const DECLINED = { state: 'declined', code: '30002', message: 'DECLINED' } as const
const NO = { isCharged: false }

/** What was found on a day, on the next morning. */
async function found(date = TODAY, args: readonly string[] = [], options: Parameters<Trial['match']>[1] = {}) {
  await trial.at(startOf(date, ZONE) + 24 * HOUR + 7 * HOUR)
  const { code, out, said } = await trial.match(['--date', date, '--json', ...args], options)
  expect(out + said).not.toContain(CARD_NUMBER)
  expect(out + said).not.toContain(KEY)
  const result = out === '' ? { findings: [] } : JSON.parse(out)
  const findings = result.findings as { kind: string; transaction_id?: string; there?: { payconex_id: string }[] }[]
  return { code, said, result, findings, kinds: findings.map(({ kind }) => kind) }
}

/** A day with one of each that agrees. */
async function goodDay() {
  await trial.pay('good-1')
  await trial.pay('good-2', { outcome: DECLINED, form: { transaction_amount: '1.01' } })
  await trial.pay('good-3', { outcome: { state: 'not_sent' } })
  await trial.pay('good-4', { method: 'tokenize' })
  await trial.payAndReverse('good-5')
}

describe('a day', () => {
  it('without faults agrees, and ends with 0', async () => {
    await goodDay()

    const { code, findings, result } = await found()

    expect(findings).toEqual([])
    expect(code).toBe(0)
    expect(result).toMatchObject({
      day: TODAY,
      here: { approved: 2, declined: 1, not_sent: 1, reversed: 1 },
      there: { approved: 3, matched: 3, undone: 1 },
    })
  })

  type Plant = () => Promise<unknown>
  it.each<[string, string, Plant]>([
    ['orphan', 'a charge behind the connector’s back', () => trial.charge('bad')],
    ['orphan', 'one without a custom_id', () => trial.charge('')],
    ['denied', 'a charge of which the caller heard a no', () => trial.pay('bad', { outcome: DECLINED })],
    [
      'denied',
      'a charge of a payment that was never sent',
      async () => {
        await trial.pay('bad', { outcome: { state: 'not_sent' } })
        await trial.charge('bad')
      },
    ],
    ['missing', 'an approval that never came', () => trial.pay('bad', NO)],
    [
      'double',
      'a second charge',
      async () => {
        await trial.pay('bad')
        await trial.charge('bad')
      },
    ],
    ['amount', 'another amount', () => trial.pay('bad', { form: { transaction_amount: '100.00' } })],
    ['id', 'another id', () => trial.pay('bad', { form: { transaction_id: '' } })],
    ['not_reversed', 'a reversal that was never done', () => trial.payAndReverse('bad', { isUndone: false })],
    [
      'unresolved',
      'a payment that nobody knows about',
      () => trial.pay('bad', { outcome: { state: 'unconfirmed', dueMs: 1000 } }),
    ],
    ['unresolved', 'a payment for review', () => trial.pay('bad', { outcome: { state: 'review' }, ...NO })],
  ])('with one %s (%s) has that finding and no other, and ends with 1', async (kind, _, plant) => {
    await goodDay()
    await plant()

    const { code, kinds } = await found()

    expect(kinds).toEqual([kind])
    expect(code).toBe(1)
  })

  it('with a payment of an account without a key does not pass for compared', async () => {
    await goodDay()
    await trial.pay('other', { account: '120615000009' })

    const { code, result } = await found()

    expect(result.findings).toEqual([{ kind: 'not_checked', account: '120615000009', payments: 1 }])
    expect(code).toBe(1)
    const both = await found(TODAY, [], { keys: { [ACCOUNT]: KEY, '120615000009': KEY } })
    expect(both).toMatchObject({ code: 0, result: { there: { approved: 4 } } })
  })

  it('agrees where a charge that nobody should have made was given back, also days later', async () => {
    await trial.pay('bad')
    const { transaction_id: second = '' } = await trial.charge('bad')
    await trial.at(NOON_MS + 50 * HOUR)
    await trial.undo(second)
    await trial.at(NOON_MS + 72 * HOUR)

    const { code } = await trial.match(['--date', TODAY])

    expect(code).toBe(0)
  })

  it('is compared for one account alone, whose key is asked for and not shown', async () => {
    await goodDay()
    await trial.pay('other', { account: '120615000009' })
    await trial.at(NOON_MS + 24 * HOUR)
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
    setImmediate(() => input.write(`${KEY}\r`))

    const { code, out, said } = await trial.match(['--date', 'yesterday', '--account', ACCOUNT], {
      input,
      keys: null,
    })

    expect(said).toContain('it is not shown')
    expect(out + said).not.toContain(KEY)
    expect(out).toContain('1 payment of other accounts')
    expect(out).toContain('all agrees')
    expect(code).toBe(0)
  })

  it('is told to a person with both sides and what to do, and without what looks like a card', async () => {
    await trial.pay('bad', { form: { transaction_amount: '100.00' } })
    await trial.charge(`c ${CARD_NUMBER}`)
    await trial.at(NOON_MS + 24 * HOUR)

    const { out, code } = await trial.match(['--date', TODAY])

    expect(out).toContain('account 120615000000, transaction_id bad')
    expect(out).toMatch(/ledger {4}approved {2}charge {2}10\.00 {2}\d{12} {2}2026-11-28 12:00:0\d/)
    expect(out).toMatch(/PayConex {2}approved {2}charge {2}100\.00 {2}\d{12} {2}2026-11-28 12:00:0\d/)
    expect(out).toContain('-> Refund the difference')
    expect(out).toContain('2 findings')
    expect(out).not.toContain(CARD_NUMBER)
    expect(code).toBe(1)
  })
})

describe('around midnight', () => {
  it.each([
    ['on an ordinary day', '2026-11-28'],
    ['before the clocks are set forward', '2026-03-07'],
    ['when the clocks have been set forward', '2026-03-08'],
    ['before the clocks are set back', '2026-10-31'],
    ['when the clocks have been set back', '2026-11-01'],
  ])('%s a payment is compared once, on the day on which it was charged', async (_, day) => {
    const midnight = startOf(day, ZONE)
    await trial.at(midnight - 5000)
    await trial.pay('across', { sendsAfterMs: 10_000 })
    await trial.at(midnight + 90 * 60 * 1000)
    await trial.pay('within')
    await trial.at(midnight + 22.9 * HOUR)
    await trial.pay('late', NO)

    const before = await found(new Date(midnight - 24 * HOUR).toISOString().slice(0, 10))
    const { findings, result } = await found(day)

    expect(before.result).toMatchObject({ findings: [], here: { approved: 1 }, there: { approved: 0 } })
    expect(findings).toMatchObject([{ kind: 'missing', transaction_id: 'late' }])
    expect(result).toMatchObject({ here: { approved: 2 }, there: { approved: 2, matched: 2 } })
  })
})

describe('a match that cannot be made', () => {
  const cannot = async (args: readonly string[], options: Parameters<Trial['match']>[1] = {}) => {
    await trial.at(NOON_MS + 24 * HOUR)
    const { code, out, said } = await trial.match(args, options)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    return said
  }
  const yesterday = ['--date', TODAY]

  it.each<[string, readonly string[], Parameters<Trial['match']>[1], RegExp]>([
    ['of no day', [], {}, /--date must be a day/],
    ['of a day that there is not', ['--date', '2026-02-30'], {}, /--date must be a day/],
    ['of a day that has not begun', ['--date', '2026-11-30'], {}, /has not begun yet/],
    ['of a day that is not over', ['--date', '2026-11-29'], {}, /not over yet in America\/Chicago/],
    ['of a day that the ledger has begun to forget', ['--date', '2026-11-22'], {}, /keeps payments for 7 days/],
    ['in a zone that there is not', [...yesterday, '--zone', 'Mars/Olympus'], {}, /--zone/],
    ['with an unknown option, which may be a key', [...yesterday, `--${KEY}`], {}, /^an option is not known/],
    ['without an account', yesterday, { keys: null }, /whose report/],
    ['of a malformed account', [...yesterday, '--account', '1'], {}, /twelve digits/],
    ['of an account without a key', [...yesterday, '--account', '120615000009'], {}, /has no access key of account/],
    [
      'of an account whose key nobody can be asked for',
      [...yesterday, '--account', ACCOUNT],
      { keys: null },
      /without a terminal/,
    ],
    ['with a file of other things', yesterday, { keys: { name: KEY } }, /must be \{"<account/],
    ['with a file that is not there', [...yesterday, '--accounts', '/nowhere'], {}, /cannot be read/],
    ['without a PayConex', yesterday, { env: { PAYCONEX_URL: '' } }, /PAYCONEX_URL: is required/],
    ['with an open door to PayConex', yesterday, { env: { PAYCONEX_URL: 'http://payconex.test' } }, /must be https/],
    [
      'without its ledger',
      yesterday,
      { env: { LEDGER_REDIS_URL: 'redis://127.0.0.1:1' } },
      /LEDGER_REDIS_URL: no answer/,
    ],
    ['with too many shards', yesterday, { env: { SHARDS: '2' } }, /begun with fewer shards/],
  ])('%s says why, and ends with 2', async (_, args, options, why) => {
    const said = await cannot(args, options)

    expect(said).toMatch(why)
    expect(said).not.toContain(KEY)
  })

  it('with a user whom the ledger does not know says so', async () => {
    const url = new URL(trial.ledgerUrl)
    Object.assign(url, { username: 'operator', password: 'wrong' })

    const said = await cannot(yesterday, { env: { LEDGER_REDIS_URL: url.href } })

    expect(said).toContain('LEDGER_REDIS_URL: its user or password is wrong')
  })

  it('with too few shards says so: what it does not see would be unknown', async () => {
    await trial.openLedger('s1')

    expect(await cannot(yesterday)).toContain('begun with more shards')
  })

  it('for one of two accounts still compares the other, and ends with 2', async () => {
    await goodDay()
    await trial.pay('other', { account: '120615000009' })

    const { code, result } = await found(TODAY, [], { keys: { [ACCOUNT]: KEY, '120615000009': 'wrong' } })

    expect(result).toMatchObject({ findings: [], there: { matched: 3 } })
    expect(result.failed).toMatchObject([
      { account: '120615000009', reason: expect.stringContaining('refuses the report') },
    ])
    expect(code).toBe(2)
  })
})

describe('npm run reconcile -- --help', () => {
  it('says what it does and what it needs, and ends with 0', async () => {
    const program = fileURLToPath(new URL('main.ts', import.meta.url))

    const { stdout } = await promisify(execFile)(process.execPath, [program, '--help'], { env: {} })

    expect(stdout).toContain('--accounts keys.json')
    expect(stdout).toContain('Exit code: 0 all agrees')
  })
})
