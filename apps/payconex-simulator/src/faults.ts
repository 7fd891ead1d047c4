import { z } from 'zod'
import { type Answer, outcome } from './answers.ts'
import { toCents } from './fields.ts'
import { kinds, type Received } from './journal.ts'
import { type Line, type Reply, webPage } from './line.ts'

/** How a fault bends the normal order of work: receive, (delay), commit, answer. */
export interface Bend {
  /** Takes the place of everything: nothing is committed. */
  readonly insteadOfWork?: (line: Line) => Promise<void>
  /** Takes the place of sending the answer, after the commit. */
  readonly insteadOfAnswer?: (line: Line, reply: Reply) => Promise<void>
  /** Changes the answer, not the books. */
  readonly alters?: (answer: Answer, otherId: string) => Answer
  /** Changes what is approved, and so the books as well. */
  readonly approves?: (cents: number) => number
  readonly format?: 'FORM'
  /** Changes how the answer travels. */
  readonly dresses?: (reply: Reply) => Reply
}

const silence = (line: Line) => line.silence()
const reset = (line: Line) => line.reset()
const page =
  (...content: Parameters<typeof webPage>) =>
  async (line: Line) => {
    await line.reply(webPage(...content))
  }
const RETRY_AFTER = { 'Retry-After': '1' }
const FIREWALL = 'Request unsuccessful. Incident ID 0'
const HUGE_BYTES = 10 * 1024 * 1024

/** A refusal that also has the status of one. None is recorded; the body is that of a business refusal. */
const refusal = (status: number) => async (line: Line) => {
  const body = JSON.stringify(outcome({ code: 20000 + status, message: 'REQUEST REFUSED' }))
  await line.reply({ status, contentType: 'application/json', body })
}

/** All faults, by name. */
export const faults = {
  // Bends nothing: its length is with the request that was hit.
  delay: {},
  hang: { insteadOfWork: silence },
  reset_before_commit: { insteadOfWork: reset },
  reset_after_commit: { insteadOfAnswer: reset },
  lose_answer: { insteadOfAnswer: silence },
  '400': { insteadOfWork: refusal(400) },
  '401': { insteadOfWork: refusal(401) },
  '403': { insteadOfWork: refusal(403) },
  '422': { insteadOfWork: refusal(422) },
  '500': { insteadOfWork: page(500, 'Internal Server Error') },
  '502': { insteadOfWork: page(502, 'Bad Gateway') },
  '504': { insteadOfWork: page(504, 'Gateway Timeout') },
  '503': { insteadOfWork: page(503, 'Service Unavailable', RETRY_AFTER) },
  '429': { insteadOfWork: page(429, 'Too Many Requests', RETRY_AFTER) },
  '500_after_commit': { insteadOfAnswer: page(500, 'Internal Server Error') },
  '502_after_commit': { insteadOfAnswer: page(502, 'Bad Gateway') },
  '504_after_commit': { insteadOfAnswer: page(504, 'Gateway Timeout') },
  html: { insteadOfWork: page(200, FIREWALL) },
  html_after_commit: { insteadOfAnswer: page(200, FIREWALL) },
  half_body: { insteadOfAnswer: (line, reply) => line.half(reply) },
  booleans_as_digits: { alters: (answer) => mapValues(answer, (value) => (isBoolean(value) ? digit(value) : value)) },
  booleans_as_letters: { alters: (answer) => mapValues(answer, (value) => (isBoolean(value) ? letter(value) : value)) },
  booleans_as_null: { alters: (answer) => mapValues(answer, (value) => (isBoolean(value) ? null : value)) },
  without_id: { alters: ({ transaction_id, ...answer }) => answer },
  not_found: { alters: ({ transaction_id = null }) => ({ found: false, transaction_id, ...outcome() }) },
  form_answer: { format: 'FORM' },
  wrong_type: { dresses: (reply) => ({ ...reply, contentType: 'text/html; charset=utf-8' }) },
  broken_gzip: { dresses: (reply) => ({ ...reply, headers: { 'Content-Encoding': 'gzip' } }) },
  huge: { dresses: (reply) => ({ ...reply, body: reply.body.padEnd(HUGE_BYTES) }) },
  other_amount: { approves: (cents) => Math.ceil(cents / 2) },
  other_id: {
    alters: (answer, otherId) => ('transaction_id' in answer ? { ...answer, transaction_id: otherId } : answer),
  },
  empty: { insteadOfAnswer: (line, reply) => line.nothing(reply) },
} as const satisfies Record<string, Bend>

type FaultName = keyof typeof faults

const faultNames = Object.keys(faults) as FaultName[]

const isBoolean = (value: Answer[string]): value is boolean => typeof value === 'boolean'
const digit = (value: boolean) => (value ? '1' : '0')
const letter = (value: boolean) => (value ? 'Y' : 'N')
const mapValues = (answer: Answer, change: (value: Answer[string]) => Answer[string]): Answer =>
  Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, change(value)]))

/** A fault as it is asked for through the control interface. */
export const faultRequest = z
  .strictObject({
    fault: z.enum(faultNames),
    next: z.number().int().min(1).max(1_000_000).optional(),
    share: z.number().min(0).max(1).optional(),
    seed: z.number().int().optional(),
    ms: z
      .number()
      .int()
      .min(0)
      .max(10 * 60 * 1000)
      .optional(),
    when: z.enum(['before', 'after']).optional(),
    on: z.enum(['any', 'qsapi', 'tsapi', ...kinds]).default('qsapi'),
    account_id: z.string().min(1).optional(),
    custom_id: z.string().min(1).optional(),
    label: z.string().min(1).max(100).optional(),
  })
  .refine(({ fault, ms }) => fault !== 'delay' || ms !== undefined, { path: ['ms'], error: 'a delay needs its length' })

type FaultRequest = z.infer<typeof faultRequest>

/** A fault that hits a request; `ms` and `when` concern delays only. */
export interface Hit {
  readonly name: FaultName
  readonly ms: number
  readonly when: 'before' | 'after'
}

/** Faults chosen by amount, for anybody who can only choose what to pay: 1.01 is the decline (`processor.ts`). */
export const magicAmounts: readonly { cents: number; fault: FaultName; ms?: number; says: string }[] = [
  { cents: 102, fault: 'reset_after_commit', says: 'charged, then the connection is reset' },
  { cents: 103, fault: 'reset_before_commit', says: 'connection reset, not charged' },
  { cents: 104, fault: 'hang', says: 'never answers, never charged' },
  { cents: 105, fault: '500_after_commit', says: 'charged, answered with HTTP 500' },
  { cents: 106, fault: '503', says: 'HTTP 503, not charged' },
  { cents: 107, fault: 'html_after_commit', says: 'charged, answered with a web page' },
  { cents: 108, fault: 'half_body', says: 'charged, half of the answer arrives' },
  { cents: 109, fault: 'booleans_as_digits', says: 'approved, booleans as "1" and "0"' },
  { cents: 110, fault: 'form_answer', says: 'approved, form-encoded in spite of JSON' },
  { cents: 111, fault: 'delay', ms: 3000, says: 'approved after 3 s' },
  { cents: 112, fault: 'other_amount', says: 'approves half of the amount' },
]

/** The faults that wait for requests. The oldest one that fits a request hits it, alone; only a request that none of
 * them hits is looked up among the magic amounts. */
export function createFaults() {
  let armed: ReturnType<typeof arm>[] = []

  return {
    add(request: FaultRequest) {
      armed = [...armed, arm(request)].slice(-MAX_ARMED)
    },
    pick(received: Received): Hit | undefined {
      const hit = armed.find((fault) => fault.hits(received))?.hit
      armed = armed.filter((fault) => fault.left() > 0)
      return hit ?? pickByAmount(received)
    },
    list: () => armed.map((fault) => fault.show()),
    /** All of them, or those of one label. */
    clear(label?: string) {
      armed = label === undefined ? [] : armed.filter((fault) => fault.label !== label)
    },
  }
}

const MAX_ARMED = 1000

function arm(request: FaultRequest) {
  const { fault, share = 1, seed = 1, ms = 0, when = 'before' } = request
  const limit = request.next ?? (request.share === undefined ? 1 : Number.POSITIVE_INFINITY)
  const random = createRandom(seed)
  let count = 0

  return {
    label: request.label,
    hit: { name: fault, ms, when },
    hits(received: Received): boolean {
      if (!concerns(request, received) || random() >= share) return false
      count += 1
      return true
    },
    left: () => limit - count,
    show: () => ({ ...request, hits: count, left: Number.isFinite(limit) ? limit - count : null }),
  }
}

const concerns = ({ on, custom_id, account_id }: FaultRequest, { api, kind, fields }: Received) =>
  ['any', api, kind].includes(on) &&
  (custom_id === undefined || custom_id === fields.custom_id) &&
  (account_id === undefined || account_id === fields.account_id)

/** Only where money is taken: the amount of a refund follows from the sale and must not bring its fault back. */
function pickByAmount({ kind, fields }: Received): Hit | undefined {
  if (kind !== 'sale' && kind !== 'authorization') return undefined
  const magic = magicAmounts.find(({ cents }) => cents === toCents(fields.transaction_amount))
  return magic && { name: magic.fault, ms: magic.ms ?? 0, when: 'before' }
}

/** Mulberry32: a fault with the same seed hits the same requests again. */
function createRandom(seed: number) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
