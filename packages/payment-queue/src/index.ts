export {
  type ConnectionOptions,
  connectFailingFast,
  connectPatiently,
  connectShards,
  isRefusal,
  type ShardConnections,
  whenReady,
} from './connection.ts'
export { oldestJobMs } from './oldest-job.ts'
export {
  type Attempt,
  type Consumer,
  createConsumer,
  createProducer,
  createSealedPayments,
  type Job,
  type Producer,
  type SealedPayments,
} from './payment-queue.ts'
export {
  LEDGER_ALONE,
  LEDGER_SETTINGS,
  QUEUE_ALONE,
  QUEUE_SETTINGS,
  type RequiredSetting,
  wrongCluster,
  wrongReplication,
  wrongSettings,
  wrongVersion,
} from './redis-settings.ts'
export { addressOf, knownPlace, placeOf } from './redis-url.ts'
export { missingRights, type RedisKind, type Role } from './rights.ts'
export { CannotOpen, keyIdOf } from './seal.ts'
export { type SealKeys, sealKeys } from './seal-keys.ts'
export { openCredentials, openPayment, type Payment, sealCredentials, sealPayment } from './sealed-payment.ts'
export { spreadProducers } from './spread-producers.ts'
export {
  createWeatherStation,
  lookAtWeather,
  type Report,
  spreadStations,
  type Weather,
  type WeatherStation,
  weatherOver,
} from './weather.ts'
