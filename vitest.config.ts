import { defineConfig } from 'vitest/config'

const source = ['packages/*/src', 'apps/*/src', 'scripts']
const named = (suffix: string) => source.map((folder) => `${folder}/**/*.${suffix}`)

/** Three kinds of test, told apart by their file's name: `x.test.ts` needs nothing, `x.integration.test.ts` needs a
 * Redis or a socket, and all of `e2e/` starts the whole system as processes and talks HTTP to it. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: named('test.ts'), exclude: named('integration.test.ts') } },
      {
        test: {
          name: 'integration',
          include: named('integration.test.ts'),
          globalSetup: 'scripts/test/integration-redis.ts',
          testTimeout: 15_000,
        },
      },
      { test: { name: 'e2e', include: ['e2e/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, maxWorkers: 2 } },
    ],
  },
})
