export { readAnswer, type Said, type TransactionAnswer } from './answer.ts'
export type { Credentials } from './credentials.ts'
export type { Instrument } from './instrument.ts'
export type { Method } from './method.ts'
export { type Asked, interpretAnswer, type Outcome, type Unanswered } from './outcome.ts'
export { isForbiddenParameter } from './parameter-names.ts'
export { type PayReply, toPayReply, type Verdict } from './pay-reply.ts'
export { type ParsedPayRequest, type ParseOptions, type PayRequest, parsePayRequest } from './pay-request.ts'
export { isCode } from './refusal.ts'
export { interpretReservation, type Reservation } from './reservation.ts'
export {
  ALREADY_REVERSED,
  type AskedReversal,
  interpretReversal,
  type Reversal,
  type ReversalOutcome,
  toReversal,
} from './reversal.ts'
export { Secret } from './secret.ts'
export { type AskedStatus, interpretStatus, type StatusOutcome } from './status.ts'
export { type MappingOptions, type Transaction, toTransaction } from './transaction.ts'
