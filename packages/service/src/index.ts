export { isCardNumber } from './card-number.ts'
export { checkProcess } from './check-process.ts'
export { type Alarm, type Clock, systemClock } from './clock.ts'
export {
  ConfigurationError,
  flag,
  list,
  type Rules,
  readableFile,
  readEnvironment,
  wholeNumber,
} from './environment.ts'
export { type Heartbeat, type HeartbeatOptions, startHeartbeat, type Watched, watchShards } from './heartbeat.ts'
export { helpText } from './help.ts'
export { isLoopback, isPrivate } from './hosts.ts'
export { keysInUse } from './keys-in-use.ts'
export { type ListenOptions, listen } from './listen.ts'
export { createLog, type Log, type LogFields, reasonOf } from './log.ts'
export { lookAgain } from './look-again.ts'
export { openLedger } from './open-ledger.ts'
export { portOf, startOperations } from './operations.ts'
export { reach } from './reach.ts'
export { renewSealKeys } from './renew-seal-keys.ts'
export { giveUp, type Running, run } from './run.ts'
export { SAFE_HEADERS } from './safe-headers.ts'
export { contradictionsOf, plaintext, type SharedEnvironment, sharedVariables } from './shared-variables.ts'
export { onSignals } from './signals.ts'
export { openStores, type Stores } from './stores.ts'
export { createTimes, SECOND, type Times } from './times.ts'
