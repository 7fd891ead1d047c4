export {
  ConfigurationError,
  flag,
  list,
  type Rules,
  readableFile,
  readEnvironment,
  wholeNumber,
} from './environment.ts'
export { type Heartbeat, type HeartbeatOptions, startHeartbeat, type Watched } from './heartbeat.ts'
export { helpText } from './help.ts'
export { type ListenOptions, listen } from './listen.ts'
export { createLog, type Log, type LogFields, reasonOf } from './log.ts'
export { portOf, startOperations } from './operations.ts'
export { giveUp, type Running, run } from './run.ts'
export { contradictionsOf, type SharedEnvironment, sharedVariables } from './shared-variables.ts'
export { onSignals } from './signals.ts'
export { openStores, type Stores } from './stores.ts'
export { createTimes, SECOND, type Times } from './times.ts'
