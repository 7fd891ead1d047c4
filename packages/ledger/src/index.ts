export { type AuditLine, auditTrail } from './audit-trail.ts'
export { type Book, checkValue, confirm, createWitness, openBook, readBook, WrongLedger } from './book.ts'
export { type EveryPaymentOptions, everyPayment, type Wanted } from './every-payment.ts'
export { type KeptCredentials, keptCredentials } from './kept-credentials.ts'
export {
  type Admission,
  type Attempt,
  type AuditEntry,
  type ByHand,
  createLedger,
  type Entry,
  type Ledger,
  type LedgerOptions,
  type LedgerTimes,
  type Resolution,
} from './ledger.ts'
export { ledgerKey } from './ledger-key.ts'
export { type LateApproval, type Look, lateApprovals, lookAt, openPayments, type Place } from './look.ts'
export { createIdentity, type Identity } from './payment-key.ts'
export { elapsedMs, isAttemptOver, type PaymentRecord, type Said, STATES, type State } from './record.ts'
export { openReplyChannel } from './reply-channel.ts'
export { type ScriptName, scriptNames, scriptText } from './scripts.ts'
export { type GatewayLedger, shardNames, shardOf, spreadLedger } from './shards.ts'
export type { Survey } from './survey.ts'
export { verdictOf } from './verdict.ts'
