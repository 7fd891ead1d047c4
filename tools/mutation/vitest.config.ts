import { defineConfig } from 'vitest/config'

const everywhere = { setupFiles: ['tools/mutation/short-properties.ts'], isolate: false, testTimeout: 30_000 }
const packages = 'packages/{mapper,payment-queue,ledger}/src'
const worker = 'apps/worker/src/{classify,settle,payconex}*'

/** The tests that may find a mutant, without what is not mutated. They share one process: a mutant costs half a second instead of
 * ten. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${packages}/*.test.ts`, `${worker}.test.ts`],
          exclude: ['**/*.integration.test.ts', '**/node_modules/**'],
          ...everywhere,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['packages/ledger/src/*.integration.test.ts', `${worker}.integration.test.ts`],
          globalSetup: 'scripts/test/integration-redis.ts',
          ...everywhere,
        },
      },
    ],
  },
})
