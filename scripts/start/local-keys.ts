import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freshKey, freshSealKey } from '../keys/fresh-key.ts'
import { type Environment, repository } from '../stack/service.ts'

const LOCAL = [
  { name: 'LEDGER_KEY', file: 'ledger-key', make: freshKey },
  { name: 'SEAL_KEYS', file: 'seal-keys', make: freshSealKey },
]

/** Variables that name the files with this checkout's own keys, for those that are not given. They are made when they are first
 * needed, and ignored by git. */
export async function localKeys(given: Environment, folder = join(repository, '.local')): Promise<Environment> {
  await mkdir(folder, { recursive: true })
  const missing = LOCAL.filter(({ name }) => !given[name] && !given[`${name}_FILE`])
  for (const { file, make } of missing) await writeOnce(join(folder, file), make())
  return Object.fromEntries(missing.map(({ name, file }) => [`${name}_FILE`, join(folder, file)]))
}

const writeOnce = (path: string, text: string) =>
  writeFile(path, text, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
