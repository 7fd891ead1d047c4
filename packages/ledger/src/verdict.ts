import type { Verdict } from '@pay/mapper'
import type { PaymentRecord } from './record.ts'

/** What the caller hears of a record as it stands; undefined: nothing yet, hold the try. The right column of the table in
 * design.md section 3. */
export function verdictOf({ state, id = '', code = '', message = '' }: PaymentRecord): Verdict | undefined {
  switch (state) {
    case 'approved':
      return { kind: 'approved', transactionId: id }
    case 'declined':
      return { kind: 'declined', code, message }
    case 'not_sent':
    case 'reversed':
      return { kind: 'not_processed' }
    case 'unconfirmed':
    case 'review':
      return { kind: 'unconfirmed' }
    case 'accepted':
    case 'sending':
    case 'reversing':
      return undefined
  }
}
