/** npm passes on the Ctrl-C that the terminal has sent to us already: two signals within this time are one. */
const SAME_SIGNAL_MS = 200
const PARENT_CHECK_MS = 250

/** Calls `stop` on the first Ctrl-C or SIGTERM, or when the npm or the terminal that started us is gone; a second signal
 * ends the process at once with 1. */
export function onSignals(stop: () => void): void {
  let stoppedAt: number | undefined
  const onSignal = () => {
    if (stoppedAt === undefined) {
      stoppedAt = performance.now()
      stop()
    } else if (performance.now() - stoppedAt > SAME_SIGNAL_MS) {
      process.exit(1)
    }
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal)
  // Whoever read what we print may be gone before us.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  if ('npm_lifecycle_event' in process.env) onOrphaned(onSignal)
}

/** npm sends a SIGTERM on to the shell between us, and many a shell dies of it without telling us. */
function onOrphaned(stop: () => void): void {
  const parent = process.ppid
  const check = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(check)
    stop()
  }, PARENT_CHECK_MS)
  check.unref()
}
