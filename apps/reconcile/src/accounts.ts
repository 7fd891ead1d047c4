import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { type Credentials, Secret } from '@pay/mapper'
import { z } from 'zod'
import { Unusable } from './unusable.ts'

const file = z
  .record(z.string().regex(/^\d{12}$/), z.string().min(1))
  .refine((accounts) => Object.keys(accounts).length > 0)

/** The accounts of a file `{"120615000000": "its access key", ...}`. An access key is never an argument, which every user of the machine
 * could read. */
export function readAccounts(path: string): Credentials[] {
  const accounts = file.safeParse(parsed(path))
  if (!accounts.success) throw new Unusable(`${path}: must be {"<account, twelve digits>": "<its access key>", ...}`)
  return Object.entries(accounts.data).map(([accountId, accessKey]) => ({
    accountId,
    accessKey: new Secret(accessKey),
  }))
}

function parsed(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new Unusable(`${path}: cannot be read`)
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new Unusable(`${path}: is not JSON`)
  }
}

export type Terminal = {
  input: NodeJS.ReadableStream & { isTTY?: boolean }
  messages: NodeJS.WritableStream
}

/** Asks for the access key of one account, which is not shown while it is typed. */
export async function askForAccount(accountId: string, { input, messages }: Terminal): Promise<Credentials> {
  if (!input.isTTY)
    throw new Unusable('--account: nobody can be asked for the access key without a terminal; give --accounts <file>')
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input, output: nowhere, terminal: true, historySize: 0 })
  const over = new AbortController()
  reader.on('SIGINT', () => over.abort())
  messages.write(`PayConex' access key of account ${accountId} (it is not shown): `)
  try {
    const typed = (await reader.question('', { signal: over.signal })).trim()
    if (typed === '') throw new Unusable('without an access key there is no report')
    return { accountId, accessKey: new Secret(typed) }
  } catch (error) {
    throw error instanceof Unusable ? error : new Unusable('given up')
  } finally {
    messages.write('\n')
    reader.close()
  }
}
