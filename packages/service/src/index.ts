export { isCardNumber } from './card-number.ts'
export { checkProcess } from './check-process.ts'
export { createChildren } from './children.ts'
export { type Alarm, type Clock, systemClock } from './clock.ts'
export { connectOnce, connectToRead } from './connect-to-read.ts'
export { type Danger, dangerousSettings } from './dangerous-settings.ts'
export {
  ConfigurationError,
  flag,
  list,
  type Rules,
  readableFile,
  readEnvironment,
  wholeNumber,
} from './environment.ts'
export { EVENTS, type LogEvent } from './events.ts'
export { holdsCardNumber, shown } from './free-text.ts'
export {
  type Certificate,
  type CertificateFiles,
  problemOfCertificate,
  problemsOfCertificate,
  readCertificate,
  secureContextOf,
  validUntil,
} from './gateway-certificate.ts'
export { type GatewayEnvironment, gatewayVariables, readGatewayEnvironment } from './gateway-environment.ts'
export { type Heartbeat, type HeartbeatOptions, startHeartbeat, type Watched, watchShards } from './heartbeat.ts'
export { helpText } from './help.ts'
export { isLoopback, isPrivate } from './hosts.ts'
export { keysInUse, missingKeys } from './keys-in-use.ts'
export { type ListenOptions, listen } from './listen.ts'
export { createLog, type Log, type LogFields, reasonOf } from './log.ts'
export { lookAgain } from './look-again.ts'
export { openLedger } from './open-ledger.ts'
export { portOf, startOperations } from './operations.ts'
export { progressOn } from './progress.ts'
export { reach } from './reach.ts'
export { renewSealKeys } from './renew-seal-keys.ts'
export { giveUp, type Running, run } from './run.ts'
export { SAFE_HEADERS } from './safe-headers.ts'
export {
  contradictionsOf,
  isInTheOpen,
  plaintext,
  type SharedEnvironment,
  sharedVariables,
} from './shared-variables.ts'
export { showSettings } from './show-settings.ts'
export { onSignals } from './signals.ts'
export { openStores, type Stores } from './stores.ts'
export { contradictionOfTimes, createTimes, SECOND, type Times } from './times.ts'
export { NO_SPAN, noTraces, openTraces, type Span, type SpanFields, type Traces } from './traces.ts'
export { type TrustProxy, trustProxy } from './trust-proxy.ts'
export { readWorkerEnvironment, type WorkerEnvironment, workerVariables } from './worker-environment.ts'
