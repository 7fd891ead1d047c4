import { ConfigurationError } from './environment.ts'
import type { Log } from './log.ts'
import type { SharedEnvironment } from './shared-variables.ts'

/** What is wrong with what surrounds us, one line each: refused in MODE=strict, warned about in relaxed. */
export function refuseOrWarn(problems: readonly string[], { MODE }: Pick<SharedEnvironment, 'MODE'>, log: Log): void {
  if (problems.length > 0 && MODE === 'strict') throw new ConfigurationError(problems)
  for (const problem of problems)
    log.warn({ event: 'setting.tolerated', setting: problem }, 'would be refused in MODE=strict')
}
