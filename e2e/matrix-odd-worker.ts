import { type Child, startChild } from '../scripts/process/child.ts'
import { freePort } from '../scripts/process/free-port.ts'
import { repository } from '../scripts/stack/service.ts'
import type { Stack } from '../scripts/stack/stack.ts'
import { until } from './matrix-payer.ts'

export type OddWorker = Child & { lines: string[]; isReady: boolean }

/** A worker that a shell starts in its own way; `"$@"` in its script is the worker. */
export async function startOddWorker(stack: Stack, script: string): Promise<OddWorker> {
  const port = await freePort()
  const lines: string[] = []
  const child = await startChild({
    name: 'odd worker',
    program: '/bin/sh',
    args: ['-c', script, 'sh', process.execPath, 'apps/worker/src/main.ts'],
    env: {
      PATH: process.env.PATH ?? '',
      ...stack.env,
      PAYCONEX_URL: stack.simulator?.url ?? '',
      OPS_PORT: String(port),
    },
    cwd: repository,
    onLine: (line) => lines.push(line),
  })
  const answers = () =>
    fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(1000) }).then(
      ({ ok }) => ok,
      () => false,
    )
  const isReady = await until(async () => !child.isRunning() || (await answers()), 12_000, 100)
  return { ...child, lines, isReady: isReady && child.isRunning() }
}
