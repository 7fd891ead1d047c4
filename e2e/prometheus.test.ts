import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROWS } from '../deploy/observe/panels.ts'
import { rulesIn, type Shown, shown } from '../deploy/observe/testing-shown.ts'
import { isHere } from '../deploy/testing-tool.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { ACCESS_KEY, ACCOUNT, type Body, post, visaCharge, visaTokenize } from './caller.ts'
import { until } from './matrix-payer.ts'
import { samplesOf, sumOf } from './metrics.ts'
import { type Prometheus, startPrometheus } from './prometheus.ts'
import { SHORT_TIMES, TIME_SCALE } from './short-times.ts'

/** Two gateways, one of them with TLS, and two workers with some payments of each kind, watched by a real Prometheus where there is one (Debian's package
 * `prometheus`, which nothing here installs: it is large). */

const EVERY_MS = 1000
const MOST_ROUNDS = 6
const hasPrometheus = isHere('prometheus')

let stack: Stack
let prometheus: Prometheus | undefined
let folder: string
const said: string[] = []

beforeAll(async () => {
  const env = { ...SHORT_TIMES, TIME_SCALE: String(TIME_SCALE) }
  folder = await mkdtemp(join(tmpdir(), 'pay-certificate-'))
  stack = await startTestStack({ gateways: 1, workers: 2, env })
  await stack.addGateway({ env: await certificateOf(folder) })
  const targets = { 'pay-gateway': urls(stack.gateways), 'pay-worker': urls(stack.workers) }
  if (hasPrometheus) prometheus = await startPrometheus(targets, EVERY_MS)
  // Twice, so that what they are counted by is seen to grow. Prometheus takes five seconds before it asks for the first time.
  await Promise.all([payments(), prometheus && until(isUp, 15_000)])
  await sleep(2 * EVERY_MS)
  for (let nth = 1; nth < MOST_ROUNDS && !(await isEnough()); nth += 1) await payments()
  await until(async () => (await shownBy(stack.workers)).has('pay_ledger_payments'), 10_000)
})

afterAll(async () => {
  await prometheus?.stop()
  await stack?.stop()
  await rm(folder, { recursive: true })
})

const TEN_DAYS_MS = 10 * 24 * 3600 * 1000

/** One that expires soon. */
async function certificateOf(inFolder: string) {
  const ends = { notAfterDate: new Date(Date.now() + TEN_DAYS_MS) }
  const { cert, private: key } = await generate([{ name: 'commonName', value: '127.0.0.1' }], ends)
  const [certFile, keyFile] = [join(inFolder, 'cert.pem'), join(inFolder, 'key.pem')]
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)])
  return { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile }
}

const urls = (processes: Stack['workers']) => processes.map(({ opsUrl }) => opsUrl)

/** Charged, declined, stored, lost, contradicted; repeated, refused and without credentials. */
async function payments(): Promise<void> {
  const charged = visaCharge()
  await Promise.all([
    pay(visaTokenize()),
    pay({ ...visaCharge(), amount: '1.01' }),
    pay({ ...visaCharge(), amount: '1.04' }),
    pay({ ...visaCharge(), amount: '1.12' }),
    pay({ ...visaCharge(), amount: 'ten' }),
    pay(visaCharge(), { password: '' }),
    pay(charged).then(() => Promise.all([pay(charged), pay({ ...charged, amount: '11.00' })])),
  ])
}

async function pay(body: Body, options = {}): Promise<void> {
  const answer = await post(stack.gateways[0]?.endpoint ?? '', body, options).catch(() => undefined)
  said.push(String(body.transaction_id), answer?.body.charge_id ?? answer?.body.token_id ?? randomUUID())
}

/** On a busy machine a payment can end before it is sent. */
async function isEnough(): Promise<boolean> {
  const sums = await Promise.all(stack.workers.map(({ opsUrl }) => sumOf(opsUrl, 'pay_worker_contradictions_total')))
  const [told] = await Promise.all(
    stack.gateways.map(({ opsUrl }) => sumOf(opsUrl, ANSWERS, { verdict: 'unconfirmed' })),
  )
  return sums.reduce((sum, one) => sum + one, 0) >= 2 && (told ?? 0) >= 3
}

const ANSWERS = 'pay_gateway_answers_total'

const processes = () => [...stack.gateways, ...stack.workers]

/** Names of what has at least one sample. */
async function shownBy(some: Stack['workers']): Promise<Set<string>> {
  const samples = await Promise.all(some.filter((one) => one.isRunning()).map(({ opsUrl }) => samplesOf(opsUrl)))
  return new Set(samples.flat().map(({ name }) => name))
}

describe('what running processes show', () => {
  it('is what docs/metrics.md and the alerts were compared with', async () => {
    const types = new Map<string, string>()
    for (const { opsUrl } of processes()) {
      const page = await (await fetch(`${opsUrl}/metrics`)).text()
      for (const [, name = '', type = ''] of page.matchAll(/^# TYPE (\S+) (\S+)$/gm)) types.set(name, type)
    }

    const expected = (await shown()).map(({ name, type }) => [name, type] as const)
    // prom-client names each of its own defaults after its type, too.
    const ours = (entries: Iterable<readonly [string, string]>) =>
      [...entries].filter(([name]) => name.startsWith('pay_')).toSorted(([one], [other]) => one.localeCompare(other))
    expect(ours(types)).toEqual(ours(new Map(expected)))
  })

  it('has the labels of that table, and each of them somewhere', async () => {
    const table = new Map((await shown()).map((metric): [string, Shown] => [metric.name, metric]))
    const samples = (await Promise.all(processes().map(({ opsUrl }) => samplesOf(opsUrl)))).flat()
    const labelled = samples.filter(({ name }) => name.startsWith('pay_'))

    for (const { name, labels } of labelled) {
      const { labels: listed = [] } = table.get(name) ?? table.get(name.replace(/_(bucket|sum|count)$/, '')) ?? {}
      expect(
        Object.keys(labels)
          .filter((label) => label !== 'le')
          .toSorted(),
        name,
      ).toEqual([...listed].toSorted())
    }
    expect(labelled.length).toBeGreaterThan(100)
  })

  it('says nothing of an account, a payment, a card or a key', async () => {
    const samples = (await Promise.all(processes().map(({ opsUrl }) => samplesOf(opsUrl)))).flat()
    const values = samples.flatMap(({ labels }) => Object.values(labels))

    expect(said.length).toBeGreaterThan(10)
    for (const secret of [...said, ACCOUNT, ACCESS_KEY, '4111111111111111', '120615', 'p_']) {
      expect(values.filter((value) => value.includes(secret))).toEqual([])
    }
  })
})

const LEDGER = 'pay_ledger_oldest_unconfirmed_seconds'

const asked = (query: string) => (prometheus as Prometheus).query(query.replaceAll('$__rate_interval', '20s'))
const isUp = async () => (await asked('up == 1')).length === processes().length

const watched = () => {
  const ringing = async () => (await asked('ALERTS{alertstate="firing"}')).map(({ metric }) => metric.alertname)

  it('reaches every process', async () => {
    const jobs = (await asked('up')).map(({ metric }) => metric.job)
    expect(jobs.toSorted()).toEqual(['pay-gateway', 'pay-gateway', 'pay-worker', 'pay-worker'])
    expect(await until(isUp, 10_000)).toBe(true)
  })

  it('evaluates every alert, and rings for payments in review and for a certificate that expires soon', async () => {
    const expected = ['PaymentInReview', 'MaybeChargedTwice', 'CertificateExpires']
    const missing = async () => {
      const now = await ringing()
      return expected.filter((alert) => !now.includes(alert))
    }
    await until(async () => (await missing()).length === 0, 10_000)

    const groups = await prometheus?.api<Groups>('rules')

    const rules = groups?.groups.flatMap((group) => group.rules) ?? []
    const shipped = rulesIn(readFileSync(new URL('../deploy/alerts/pay.yaml', import.meta.url), 'utf8'))
    expect(rules.map(({ name }) => name).toSorted()).toEqual(shipped.map(({ alert }) => alert).toSorted())
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
    expect(await missing()).toEqual([])
  })

  it.each(ROWS.flatMap((row) => row.panels))('has something to draw for "$title"', async ({ title, queries }) => {
    for (const { ask } of queries) {
      const mayBeEmpty = EMPTY.includes(title) || EMPTY.includes(ask)

      const isFound = await until(async () => (await asked(ask)).length > 0 || mayBeEmpty, 10_000)

      expect(isFound, ask).toBe(true)
    }
  })
}

type Groups = { groups: { rules: { name: string; health: string }[] }[] }

/** Of what did not happen in this run: panels, and single queries. They are asked all the same. */
const EMPTY = ['New payments that were refused, by reason', 'count by (problem) (pay_problem)']

if (hasPrometheus) describe('a Prometheus', watched)
else it('a Prometheus was left out: there is none here (Debian calls the package prometheus)', () => undefined)

// Last, for it ends one of those that are watched.
describe('what is counted on the ledger', () => {
  it('is shown by the one worker that sweeps, and by the other when that is gone', async () => {
    const counting = async () => {
      const shows = await Promise.all(stack.workers.map(async (one) => (await shownBy([one])).has(LEDGER)))
      return stack.workers.filter((_, nth) => shows[nth])
    }
    // The lease may just have moved.
    expect(await until(async () => (await counting()).length === 1, 10_000)).toBe(true)
    const [first] = await counting()

    await first?.stop()

    await until(async () => (await counting()).length > 0, 10_000)
    const now = await counting()
    expect(now).toHaveLength(1)
    expect(now).not.toContain(first)
  })
})
