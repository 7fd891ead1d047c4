import { randomBytes, randomUUID } from 'node:crypto'
import { createIdentity, ledgerKey } from '@pay/ledger'
import { type PayRequest, parsePayRequest, Secret, toTransaction } from '@pay/mapper'
import { openPayment, sealCredentials, sealKeys, sealPayment } from '@pay/payment-queue'
import visaCharge from '../../examples/charge-card.json' with { type: 'json' }
import { testAccount } from '../call/options.ts'
import { atMost, type Result, type Settings, short } from './result.ts'
import { spreadOf } from './statistics.ts'

const LIMIT_MICROSECONDS = 60
const PARTS = ['validation', 'key and fingerprint', 'sealing', 'opening', 'mapping'] as const

type Part = (typeof PARTS)[number]

/** What every payment is put through in gateway and worker apart from HTTP and Redis, in one process and one part after the other. The
 * part with the clock's reading would cost more than some of the parts, so each is timed over many payments. */
export async function measureParts(settings: Settings): Promise<Result> {
  const { rounds = 9, payments = 5_000, say } = settings
  const found = new Map<Part, number[]>(PARTS.map((part) => [part, []]))
  for (let round = 0; round <= rounds; round += 1) {
    say(round === 0 ? 'warming up ...' : `round ${round} of ${rounds}`)
    const microseconds = measureOnce(payments)
    // The first round is for the compiler.
    if (round > 0) for (const part of PARTS) found.get(part)?.push(microseconds[part])
  }
  return tell(found, payments)
}

/** Microseconds of CPU time per payment. */
function measureOnce(payments: number): Record<Part, number> {
  const keys = sealKeys.parse(`k1:${randomBytes(32).toString('base64')}`)
  const identity = createIdentity(ledgerKey.parse(randomBytes(32).toString('base64')))
  const credentials = { accountId: testAccount.user, accessKey: new Secret(testAccount.password) }
  const bodies = Array.from({ length: payments }, () => ({ ...visaCharge, transaction_id: randomUUID() }))
  const timed = <From, To>(all: readonly From[], work: (one: From) => To): [To[], number] => {
    const before = process.cpuUsage()
    const done = all.map(work)
    const { user, system } = process.cpuUsage(before)
    return [done, (user + system) / all.length]
  }

  const [requests, validation] = timed(bodies, (body) => parsed(body))
  const [ids, fingerprint] = timed(requests, (request) => {
    identity.fingerprint({ body: visaCharge, accessKey: testAccount.password })
    return { key: identity.paymentKey({ accountId: testAccount.user, ...request }), attempt: 1, request }
  })
  const [sealed, sealing] = timed(ids, ({ request, ...id }) => {
    sealCredentials(credentials, id.key, keys)
    return { id, text: sealPayment({ request, credentials }, id, keys) }
  })
  const [opened, opening] = timed(sealed, ({ id, text }) => openPayment(text, id, keys))
  const [, mapping] = timed(opened, (payment) =>
    toTransaction(payment.request, payment.credentials, { extraParameters: [], defaultParameters: {} }),
  )
  return { validation, 'key and fingerprint': fingerprint, sealing, opening, mapping }
}

function parsed(body: Record<string, unknown>): PayRequest {
  const result = parsePayRequest(body, { currencies: ['USD'] })
  if (!result.ok) throw new Error(`refused: ${result.field}`)
  return result.request
}

function tell(found: ReadonlyMap<Part, readonly number[]>, payments: number): Result {
  const spreads = PARTS.map((part) => ({ part, ...spreadOf(found.get(part) ?? []) }))
  const inAll = spreads.reduce((total, { median }) => total + median, 0)
  return {
    title: 'CPU of the parts',
    notes: [
      `${payments.toLocaleString('en-US')} payments in each round, one part after the other; the first round is not counted. Sealing: the payment for the queue, and the credentials for the ledger.`,
    ],
    tables: [
      {
        head: ['us per payment', 'median', 'lowest', 'highest'],
        rows: [
          ...spreads.map(({ part, median, lowest, highest }) => [part, ...[median, lowest, highest].map(short)]),
          ['in all', short(inAll), '', ''],
        ],
      },
    ],
    charts: [],
    goals: [
      atMost(
        'validation + mapping + sealing + opening + fingerprint',
        LIMIT_MICROSECONDS,
        inAll,
        (us) => `${short(us)} us`,
      ),
    ],
    figures: { inAll, parts: spreads },
  }
}
