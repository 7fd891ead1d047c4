import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createVitest } from 'vitest/node'
import { guard } from '../process/guard.ts'
import { repository } from '../stack/service.ts'

export type LuaBench = Awaited<ReturnType<typeof openLuaBench>>

export type Servers = { queueRedisUrl: string; ledgerRedisUrl: string }

const PACKAGES = ['packages/ledger', 'packages/payment-queue']
const IN_COPY = [...PACKAGES.map((folder) => `${folder}/src`), 'scripts']

/** Longer than any test here takes on a busy machine, and short enough to wait for a test that hears nothing any more. */
const TEST_LIMIT_MS = 8_000

/** A copy of the packages with scripts, and their integration tests, on Redis servers that run already. In the copy one script is
 * replaced at a time: it is read when a ledger is opened, so nothing else is loaded again. */
export async function openLuaBench(servers: Servers) {
  await mkdir(join(repository, '.local'), { recursive: true })
  // Below the repository, where its node_modules are found.
  const copy = await mkdtemp(join(repository, '.local', 'lua-'))
  const release = guard('folder', copy)
  for (const folder of IN_COPY) await cp(join(repository, folder), join(copy, folder), { recursive: true })
  const vitest = await createVitest('test', {
    root: copy,
    config: false,
    watch: false,
    reporters: [{}],
    include: PACKAGES.map((folder) => `${folder}/src/*.integration.test.ts`),
    pool: 'threads',
    maxWorkers: 1,
    isolate: false,
    bail: 1,
    testTimeout: TEST_LIMIT_MS,
  })
  vitest.provide('queueRedisUrl', servers.queueRedisUrl)
  vitest.provide('ledgerRedisUrl', servers.ledgerRedisUrl)

  /** The first test that fails with this text of the script, or undefined where all pass. */
  async function findsIn(tests: readonly string[]): Promise<string | undefined> {
    vitest.state.filesMap.clear()
    const { testModules, unhandledErrors } = await vitest.start([...tests])
    const failed = testModules.flatMap((module) => [...module.children.allTests('failed')]).at(0)
    if (failed) return `${failed.module.moduleId.slice(copy.length + 1)}: ${failed.fullName}`
    const broken = testModules.find((module) => !module.ok())
    if (broken) return broken.moduleId.slice(copy.length + 1)
    if (unhandledErrors.length > 0) return String(unhandledErrors[0])
    if (testModules.length === 0) throw new Error(`no tests in ${tests}`)
    return undefined
  }

  return {
    /** Puts another text in the place of a script, and its own back afterwards. */
    async with<Result>(
      script: { path: string; text: string },
      changed: string,
      run: (find: typeof findsIn) => Promise<Result>,
    ) {
      await writeFile(join(copy, script.path), changed)
      try {
        return await run(findsIn)
      } finally {
        await writeFile(join(copy, script.path), script.text)
      }
    },
    async close() {
      await vitest.close()
      await rm(copy, { recursive: true, force: true })
      release()
    },
  }
}
