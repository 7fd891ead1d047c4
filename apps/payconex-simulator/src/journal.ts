import type { Fields } from './fields.ts'
import { transactionTypes } from './order.ts'

/** What a request asks for, as faults and counters name it. `other` is anything PayConex would not know. */
export const kinds = [...transactionTypes.map((type) => type.toLowerCase()), 'reserve', 'status', 'other'] as const

/** The last requests that are kept in full; the counters go on for ever. */
const MAX_KEPT = 10_000

/** A request as faults and counters see it. */
export interface Received {
  readonly api: 'qsapi' | 'tsapi'
  readonly kind: string
  readonly fields: Fields
}

/** Every request as it came in, also those that were refused or lost, without anything secret. */
export function createJournal() {
  let counts: Record<string, number> = noCounts()
  let kept: ReturnType<typeof redact>[] = []

  return {
    add(received: Received, fault: string | undefined) {
      counts[received.kind] = (counts[received.kind] ?? 0) + 1
      kept.push(redact(received, fault))
      if (kept.length >= 2 * MAX_KEPT) kept = kept.slice(-MAX_KEPT)
    },
    counts: () => ({ ...counts }),
    /** Those that carry these values; all without any. */
    requests: (wanted: { custom_id?: string | undefined; account_id?: string | undefined } = {}) => {
      const { custom_id, account_id } = wanted
      return kept
        .slice(-MAX_KEPT)
        .filter(({ values }) => custom_id === undefined || values.custom_id === custom_id)
        .filter(({ values }) => account_id === undefined || values.account_id === account_id)
    },
    clear() {
      counts = noCounts()
      kept = []
    },
  }
}

const noCounts = () => Object.fromEntries(kinds.map((kind) => [kind, 0]))

const redact = ({ api, kind, fields }: Received, fault: string | undefined) => ({
  at: new Date().toISOString(),
  api,
  kind,
  fault: fault ?? null,
  fields: Object.keys(fields).map((name) => (FIELD_NAME.test(name) ? name : '(not a field name)')),
  values: Object.fromEntries(harmless.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]]))),
})

/** A body that is no form reads as one long name, possibly with a card number in it; such a name is not shown. */
const FIELD_NAME = /^[a-z_]{1,40}\d?$/i

/** The values that may be shown. An allow-list, so that a new secret field is hidden until somebody decides otherwise. */
const harmless = [
  ...['account_id', 'transaction_type', 'tender_type', 'transaction_amount', 'currency', 'transaction_id', 'token_id'],
  ...['reissue', 'action', 'custom_id', 'custom_data', 'transaction_description', 'payment_type', 'response_format'],
  ...['first_name', 'last_name', 'street_address1', 'street_address2', 'city', 'state', 'zip', 'country', 'phone'],
  ...['email', 'card_expiration', 'check_number', 'ach_account_type', 'ach_sec_code', 'cashier', 'group', 'ip_address'],
  ...['allow_partial', 'disable_avs', 'disable_cvv', 'disable_fraudfirewall', 'send_customer_receipt'],
]
