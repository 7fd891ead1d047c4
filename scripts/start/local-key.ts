import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repository } from '../stack/service.ts'

/** The file with this checkout's own LEDGER_KEY, made when it is first needed. A ledger remembers which key it was begun with
 * and refuses another, so one that outlives us needs a key that does, too. Ignored by git. */
export async function localLedgerKey(): Promise<string> {
  const folder = join(repository, '.local')
  const file = join(folder, 'ledger-key')
  await mkdir(folder, { recursive: true })
  await writeFile(file, randomBytes(32).toString('base64'), { flag: 'wx', mode: 0o600 }).catch(unlessThere)
  return file
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
