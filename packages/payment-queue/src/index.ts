export { type ConnectionOptions, connectFailingFast, connectPatiently, whenReady } from './connection.ts'
export {
  type Attempt,
  type Consumer,
  createConsumer,
  createProducer,
  createSealedPayments,
  type Producer,
  type SealedPayments,
} from './payment-queue.ts'
export {
  LEDGER_ALONE,
  LEDGER_SETTINGS,
  QUEUE_ALONE,
  QUEUE_SETTINGS,
  type RequiredSetting,
  wrongReplication,
  wrongSettings,
} from './redis-settings.ts'
export { CannotOpen } from './seal.ts'
export { type SealKeys, sealKeys } from './seal-keys.ts'
export { openCredentials, openPayment, type Payment, sealCredentials, sealPayment } from './sealed-payment.ts'
