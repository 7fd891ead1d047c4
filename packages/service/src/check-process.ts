import { readFileSync } from 'node:fs'
import { url as debuggerUrl } from 'node:inspector'
import { dangerousSettings } from './dangerous-settings.ts'
import { ConfigurationError } from './environment.ts'
import type { Log } from './log.ts'
import type { SharedEnvironment } from './shared-variables.ts'

/** Looks at how this process was started, before it connects to anybody and a card can be in it. `MODE=strict` refuses what would
 * give cards or keys away, by name and all at once; the rest, and everything in relaxed mode, is a warning. */
export function checkProcess({ MODE }: Pick<SharedEnvironment, 'MODE'>, log: Log): void {
  const { env, execArgv } = process
  const isDebugged = debuggerUrl() !== undefined
  const found = dangerousSettings({ env, execArgv, limits: readLimits(), isDebugged })
  const isFatal = ({ refused }: { refused: boolean }) => MODE === 'strict' && refused
  const fatal = found.filter(isFatal)
  if (fatal.length > 0) throw new ConfigurationError(fatal.map(({ setting, why }) => `${setting}: ${why}`))
  for (const { setting, why } of found) log.warn({ event: 'setting.dangerous', setting }, why)
}

/** Only Linux has it. */
function readLimits(): string | undefined {
  try {
    return readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return undefined
  }
}
