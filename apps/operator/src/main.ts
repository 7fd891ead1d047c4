import { userInfo } from 'node:os'
import { onSignals } from '@pay/service'
import { runCommand } from './run-command.ts'

const over = new AbortController()
onSignals(() => over.abort())

process.exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  input: process.stdin,
  output: process.stdout,
  messages: process.stderr,
  over: over.signal,
  user,
})

/** In a container a user may have a number and no name. */
function user(): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? ''}`.trim()
  }
}
