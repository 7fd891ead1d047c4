/** What is mutated: the code that decides about money and cards. Run by `npm run mutation`. */
const mutate = [
  'packages/mapper/src/*.ts',
  '!packages/mapper/src/{fixtures,hostile-answers,recorded-answers}.ts',
  'packages/payment-queue/src/{seal,seal-keys,sealed-payment}.ts',
  'packages/ledger/src/*.ts',
  '!packages/ledger/src/testing*.ts',
  'apps/worker/src/{classify,settle}.ts',
  '!**/*.test.ts',
]

export default {
  mutate,
  testRunner: 'vitest',
  vitest: { configFile: 'tools/mutation/vitest.config.ts' },
  coverageAnalysis: 'perTest',
  // TypeScript 7 has no API with which Stryker could look at a tsconfig, and vite strips types without one.
  tsconfigFile: 'none',
  ignorePatterns: ['docs', 'tools/mutation/node_modules', '.turbo', '.local', 'test-results'],
  tempDirName: '.local/mutation/sandbox',
  incremental: true,
  incrementalFile: '.local/mutation/incremental.json',
  reporters: ['progress-append-only', 'json', 'html', 'clear-text'],
  jsonReporter: { fileName: '.local/mutation/report.json' },
  htmlReporter: { fileName: '.local/mutation/report.html' },
  clearTextReporter: { allowColor: false, reportTests: false, reportScoreTable: false },
  warnings: { slow: false },
  allowConsoleColors: false,
  concurrency: 2,
  timeoutMS: 60_000,
  thresholds: { high: 95, low: 85, break: 85 },
}
