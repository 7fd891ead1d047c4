import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Child } from '../process/child.ts'
import { freePort } from '../process/free-port.ts'
import { startService } from '../stack/service.ts'
import { find } from './find.ts'
import { conclude, type Question } from './findings.ts'
import { type CertifyOptions, readCertifyOptions } from './options.ts'

const program = fileURLToPath(new URL('../certify.ts', import.meta.url))
const ACCESS_KEY = 'canary0access0key0canary0access0'

let url: string
let simulator: Child

beforeAll(async () => {
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const env = { PORT: String(port), HOST: '127.0.0.1' }
  simulator = await startService({
    name: 'simulator',
    app: 'payconex-simulator',
    env,
    readyUrl: `${url}/_sim`,
    onLine: () => undefined,
  })
}, 60_000)

afterAll(() => simulator?.stop())
beforeEach(() => control('reset', {}))

async function control(what: string, body: unknown) {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/_sim/${what}`, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(answer.ok).toBe(true)
}

/** As an operator runs it: a process of its own. */
async function certify(args: readonly string[] = [], changes: Record<string, string> = {}) {
  const env = {
    PATH: process.env.PATH,
    PAYCONEX_URL: url,
    PAYCONEX_ACCOUNT_ID: '120615000000',
    PAYCONEX_ACCESS_KEY: ACCESS_KEY,
    ...changes,
  }
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let errors = ''
  child.stdout.on('data', (text) => (out += text))
  child.stderr.on('data', (text) => (errors += text))
  const [code] = await once(child, 'close')
  return { code, out, errors }
}

/** The same without a process: what was found, and what follows. */
async function findAndConclude() {
  const env = { PAYCONEX_URL: url, PAYCONEX_ACCOUNT_ID: '120615000000', PAYCONEX_ACCESS_KEY: ACCESS_KEY }
  const findings = await find(readCertifyOptions([], env) as CertifyOptions, () => undefined)
  const held = Object.fromEntries(Object.entries(findings).map(([name, { holds }]) => [name, holds]))
  return { held: held as Record<Question, string>, settings: conclude(findings).settings, findings }
}

const ALL_HOLD = {
  honoured: 'yes',
  used: 'yes',
  inFlight: 'yes',
  before: 'yes',
  during: 'yes',
  after: 'yes',
  store: 'yes',
  reversed: 'yes',
}

describe('npm run certify', () => {
  it('finds all that is promised, and what may be switched on then', async () => {
    await control('settings', { minDelayMs: 100, maxDelayMs: 100 })

    const found = await findAndConclude()

    expect(found).toMatchObject({
      held: ALL_HOLD,
      settings: { PAYCONEX_RESERVE: 'required', LATE_APPROVAL: 'reverse' },
    })
    expect(found.findings.used.heard).toBe('refused (20090 TRANSACTION ID ALREADY USED)')
  })

  it('prints a table for people, with progress beside it, and no secret', async () => {
    const { code, out, errors } = await certify()

    expect(code).toBe(0)
    expect(out).toContain('PAYCONEX_RESERVE=required')
    expect(out).toContain('a sale can be reversed by its id')
    expect(errors).toContain('... a stored card gets its reserved id, too')
    expect(out + errors).not.toContain(ACCESS_KEY)
    expect(out + errors).not.toContain('4111111111111111')
  })

  it.each([
    ['that ignores reserved ids', { honourReservedIds: false }, { honoured: 'no', store: 'no', after: 'no' }],
    ['that takes a used id for another charge', { usedId: 'accept' }, { used: 'no', honoured: 'yes' }],
    [
      'that takes an id in flight for another charge',
      { usedIdInFlight: 'accept', minDelayMs: 100, maxDelayMs: 100 },
      { inFlight: 'no', used: 'yes' },
    ],
  ])('warns of a PayConex %s, and says that ids are not to be relied on', async (_, settings, held) => {
    await control('settings', settings)

    const found = await findAndConclude()

    expect(found.held).toMatchObject(held)
    expect(found.settings).toEqual({ PAYCONEX_RESERVE: 'off', LATE_APPROVAL: 'report' })
  })

  it('tells the first answer given once more from a second charge', async () => {
    await control('settings', { usedId: 'replay', usedIdInFlight: 'replay', minDelayMs: 50, maxDelayMs: 50 })

    const { held, findings } = await findAndConclude()

    expect(held).toEqual(ALL_HOLD)
    expect(findings.used.heard).toBe("the first one's answer once more")
    expect(findings.inFlight.heard).toBe("the first one's answer once more")
  })

  it('does not rely on look-ups that lag, nor on reversals that are refused', async () => {
    await control('settings', { statusLagMs: 60_000 })
    await control('faults', { fault: '403', on: 'reversal' })

    const found = await findAndConclude()

    expect(found.held).toMatchObject({ after: 'no', reversed: 'no', used: 'yes' })
    expect(found.settings).toEqual({ PAYCONEX_RESERVE: 'required', LATE_APPROVAL: 'report' })
  })

  it('says so where something could not be found out', async () => {
    await control('faults', { fault: '500', on: 'store' })

    expect(await findAndConclude()).toMatchObject({ held: { ...ALL_HOLD, store: 'unknown' } })
  })

  it('ends with 1 where a promise does not hold, and prints JSON for programs', async () => {
    await control('settings', { usedId: 'accept' })

    const { code, out } = await certify(['--json'])

    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      findings: { used: { holds: 'no' } },
      settings: { PAYCONEX_RESERVE: 'off' },
    })
  })

  it('ends with 2 where something could not be found out', async () => {
    await control('faults', { fault: '500', on: 'store' })

    expect((await certify()).code).toBe(2)
  })

  it.each([
    ['an access key that is refused', {}, { PAYCONEX_ACCESS_KEY: 'wrong' }, 'PayConex reserves no id: declined'],
    ['nobody there', {}, { PAYCONEX_URL: 'http://127.0.0.1:9' }, 'PayConex reserves no id: unsent, ECONNREFUSED'],
    [
      'production',
      {},
      { PAYCONEX_URL: 'https://secure.payconex.net' },
      'PAYCONEX_URL: must be https://cert.payconex.net',
    ],
    ['no account', {}, { PAYCONEX_ACCOUNT_ID: '' }, 'PAYCONEX_ACCOUNT_ID: is required'],
  ])('ends with 2 and a hint: %s', async (_, _settings, changes, hint) => {
    const { code, errors } = await certify([], changes)

    expect(code).toBe(2)
    expect(errors).toContain(hint)
    expect(errors).not.toContain(ACCESS_KEY)
  })
})
