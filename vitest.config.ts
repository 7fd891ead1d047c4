import { defineConfig } from 'vitest/config'

const source = ['packages/*/src', 'apps/*/src', 'scripts', 'deploy']
const named = (suffix: string) => source.map((folder) => `${folder}/**/*.${suffix}`)

/** Four kinds of test, told apart by their file's name: `x.test.ts` needs nothing, `x.integration.test.ts` needs a
 * Redis or a socket, all of `schedules/` plays out the real code in a simulated world, and all of `e2e/` starts the whole system as processes and
 * talks HTTP to it. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: named('test.ts'), exclude: named('integration.test.ts') } },
      {
        test: {
          name: 'integration',
          include: named('integration.test.ts'),
          globalSetup: 'scripts/test/integration-redis.ts',
          // They wait more than they work.
          maxWorkers: 3,
          testTimeout: 15_000,
        },
      },
      {
        test: {
          name: 'schedules',
          include: ['schedules/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'containers',
          include: ['containers/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      { test: { name: 'e2e', include: ['e2e/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 3 } },
    ],
  },
})
