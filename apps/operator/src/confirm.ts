import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Secret } from '@pay/mapper'
import { Refused, Unusable } from './ending.ts'
import { say, type Terminal } from './terminal.ts'

/** Nothing is changed before the person has typed which payment is meant, or said --yes. Without a terminal nobody can be asked, so
 * it is refused. */
export async function confirm(
  terminal: Terminal,
  { yes, about, word }: { yes: boolean; about: readonly string[]; word: string },
) {
  for (const line of about) say(terminal, line)
  if (yes) return
  if (!terminal.input.isTTY) throw new Refused('nobody can be asked: without a terminal it takes --yes')
  const typed = await question(terminal, 'Type the transaction_id to go on: ', { isHidden: false })
  if (typed.trim() !== word) throw new Refused('that is another one: nothing was changed')
}

/** PayConex' access key, which the ledger has given up: from ACCESS_KEY or ACCESS_KEY_FILE, or typed without being seen. Never an
 * argument, which every user of the machine could read. */
export async function accessKey(terminal: Terminal, account: string, given: string | undefined): Promise<Secret> {
  if (given) return new Secret(given)
  if (!terminal.input.isTTY)
    throw new Unusable(`the access key of account ${account} is needed: ACCESS_KEY, or ACCESS_KEY_FILE`)
  const typed = await question(terminal, `PayConex' access key of account ${account} (it is not shown): `, {
    isHidden: true,
  })
  if (typed.trim() === '') throw new Refused('without it PayConex cannot be asked: nothing was changed')
  return new Secret(typed.trim())
}

async function question({ input, messages, over }: Terminal, text: string, { isHidden }: { isHidden: boolean }) {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input, output: isHidden ? nowhere : messages, terminal: true, historySize: 0 })
  const closed = new AbortController()
  reader.on('SIGINT', () => closed.abort())
  try {
    if (isHidden) messages.write(text)
    return await reader.question(isHidden ? '' : text, { signal: AbortSignal.any([closed.signal, over]) })
  } catch {
    throw new Refused('given up: nothing was changed')
  } finally {
    if (isHidden) messages.write('\n')
    reader.close()
  }
}
