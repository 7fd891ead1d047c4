import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('../mutation.ts', import.meta.url))
const LIMIT_MS = 480_000

it('every guard of the Lua scripts is missed by a test as soon as it is taken out', { timeout: LIMIT_MS }, async () => {
  const run = promisify(execFile)(process.execPath, [program, 'lua', '--guards'], { timeout: LIMIT_MS })

  // What a run found wrong stands in the same text.
  const { stdout } = await run.catch((error: Error & { stdout: string }) => error)

  expect(stdout).toMatch(/\| \*\*all\*\* \| (\d\d+) \| \1 \| 0 \| 0 \|$/m)
})
