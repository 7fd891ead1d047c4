import { isRefusal, whenReady } from '@pay/payment-queue'
import type { Redis } from 'ioredis'
import { reasonOf } from './log.ts'
import { SECOND } from './times.ts'

/** Waits until a server takes commands. Answers why it does not: at the time limit, or at once where waiting cannot help because
 * the server refuses us, or is not the one that its certificate should name. Never a word of the URL. */
export async function reach(redis: Redis, limitMs: number): Promise<string | undefined> {
  let last: unknown
  let giveUp: (refusal: string) => void = () => undefined
  const refused = new Promise<string>((resolve) => {
    giveUp = resolve
  })
  const onError = (error: unknown) => {
    last = error
    const refusal = refusalIn(error)
    if (refusal !== undefined) giveUp(refusal)
  }
  redis.on('error', onError)
  const silent = () => `no answer within ${limitMs / SECOND} s${last === undefined ? '' : ` (${reasonOf(last)})`}`
  const ready = whenReady(redis, limitMs).then((isReady) => (isReady ? undefined : silent()))
  const answer = await Promise.race([ready, refused])
  redis.off('error', onError)
  return answer
}

/** By the first word of what the server says, or by the code of what TLS found. Anything else may pass: a server that starts, a
 * name that is not known yet. */
export function refusalIn(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const word = isRefusal(error) ? firstWordOf(error.message) : reasonOf(error)
  const said = REFUSALS.find(([pattern]) => pattern.test(word))?.[1]
  return said === undefined ? undefined : `${said} (${word})`
}

/** Where a server says more with the words that follow. */
const firstWordOf = (message: string) =>
  message.includes('cluster support disabled') ? 'NOCLUSTER' : (message.split(' ')[0] ?? '')

const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/^WRONGPASS$/, 'its user or password is wrong'],
  [/^NOAUTH$/, 'it wants a user and a password'],
  [/^NOCLUSTER$/, 'it is no cluster, which its URL says that it is'],
  [/^NOPERM$/, 'its user may not even ask where it is, see deploy/redis'],
  [/^DENIED$/, 'it is in protected mode and lets in only its own machine'],
  [/CERT|SIGNED|VERIFY/, 'its certificate is not trusted, see CA_FILE'],
]
