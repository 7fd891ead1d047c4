import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repository } from '../stack/service.ts'
import { type LuaBench, openLuaBench, type Servers } from './lua-bench.ts'
import { EQUIVALENTS } from './lua-equivalents.ts'
import { type LuaMutant, mutantsOf } from './lua-mutants.ts'

/** What became of one mutant: a test found it, or none did. `why`: it is listed as one that cannot be found. */
export type LuaResult = { script: string; mutant: LuaMutant; foundBy: string | undefined; why: string | undefined }

export type LuaRunOptions = {
  servers: Servers
  /** Of the mutants only these. */
  isWanted: (script: string, kind: LuaMutant['kind']) => boolean
  /** So many at once. */
  lanes: number
  over: AbortSignal
  onResult: (result: LuaResult, done: number, all: number) => void
}

type Script = { name: string; path: string; text: string; tests: string[]; otherTests: string[] }

const FOLDERS = ['packages/ledger/src', 'packages/payment-queue/src']

/** Tries every mutant of every script of the two packages. */
export async function runLuaMutants(options: LuaRunOptions): Promise<LuaResult[]> {
  const { servers, isWanted, lanes, over, onResult } = options
  const scripts = await readScripts()
  const wanted = scripts.flatMap((script) => {
    const mutants = mutantsOf(script.text).filter(({ kind }) => isWanted(script.name, kind))
    return mutants.map((mutant) => ({ script, mutant }))
  })
  const results: LuaResult[] = []
  const queue = wanted.values()
  const work = async () => {
    const bench = await openLuaBench(servers)
    try {
      for (const { script, mutant } of queue) {
        if (over.aborted) break
        const result = {
          script: script.name,
          mutant,
          foundBy: await finderOf(bench, script, mutant),
          why: whyOf(script, mutant),
        }
        results.push(result)
        onResult(result, results.length, wanted.length)
      }
    } finally {
      await bench.close()
    }
  }
  await Promise.all(Array.from({ length: lanes }, work))
  return results
}

/** The script's own tests first: they mostly find it. */
const finderOf = (bench: LuaBench, script: Script, mutant: LuaMutant) =>
  bench.with(script, mutant.text, async (find) => (await find(script.tests)) ?? (await find(script.otherTests)))

const whyOf = ({ name }: Script, { from, to }: LuaMutant) =>
  EQUIVALENTS.find((each) => each.script === name && each.from === from && each.to === to)?.why

async function readScripts(): Promise<Script[]> {
  const found = await Promise.all(
    FOLDERS.map(async (folder) => {
      const files = await readdir(join(repository, folder, 'scripts'))
      return Promise.all(files.map((file) => readScript(folder, file.replace(/\.lua$/, ''))))
    }),
  )
  return found.flat()
}

async function readScript(folder: string, name: string): Promise<Script> {
  const path = `${folder}/scripts/${name}.lua`
  const tests = (TESTS[name] ?? [name]).map((test) => `${folder}/${test}.integration.test.ts`)
  const all = (await readdir(join(repository, folder))).map((file) => `${folder}/${file}`)
  const otherTests = all.filter((file) => file.endsWith('.integration.test.ts') && !tests.includes(file))
  return { name, path, text: await readFile(join(repository, path), 'utf8'), tests, otherTests }
}

/** Where the tests of a script are called otherwise. */
const TESTS: Record<string, readonly string[]> = {
  'ask-now': ['by-hand', 'once-more'],
  common: ['edges', 'book', 'waiting', 'take-over', 'finish'],
  due: ['sweepers-list'],
  keep: ['reverse'],
  leave: ['waiting'],
  note: ['book'],
  'open-book': ['book'],
  postpone: ['sweepers-list'],
  read: ['sweepers-list', 'admit'],
  release: ['take-over'],
  renew: ['take-over'],
  reverse: ['reverse', 'once-more'],
  resolve: ['by-hand', 'edges', 'once-more'],
  'take-back': ['by-hand', 'edges', 'once-more'],
  withdraw: ['waiting', 'edges', 'admit'],
}
