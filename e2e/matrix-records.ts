import { Redis } from 'ioredis'

/** Our ledger's record of a payment, as it lies in Redis, under the words for it instead of its letters. */
export type LedgerRecord = Record<string, string> & { key: string; state: string }

const WORDS: Readonly<Record<string, string>> = { s: 'state', n: 'attempt', i: 'id', r: 'reserved' }

/** Where a payment is over. */
const STATES: Readonly<Record<string, string>> = { a: 'approved', d: 'declined', n: 'not_sent', r: 'reversed' }

/** Reads payments by what the caller knows of them. Their keys are secret, so whoever looks for one looks at all, once. */
export function openRecords(...urls: readonly string[]) {
  // A server may be killed meanwhile.
  const servers = urls.map((url) => new Redis(url).on('error', () => undefined))
  const known = new Map<string, { key: string; redis: Redis }>()

  async function placeOf(name: string) {
    if (!known.has(name)) await Promise.all(servers.map(learn))
    return known.get(name)
  }

  async function learn(redis: Redis): Promise<void> {
    const old = new Set([...known.values()].map(({ key }) => key))
    const keys = (await redis.keys('*:payment:*')).filter((key) => !old.has(key))
    for (const key of keys) {
      const [account, customId] = await redis.hmget(key, 'a', 'c')
      known.set(nameOf(account ?? '', customId ?? ''), { key, redis })
    }
  }

  return {
    find: async (account: string, customId: string): Promise<LedgerRecord | undefined> => {
      const place = await placeOf(nameOf(account, customId))
      return place && inWords(place.key, await place.redis.hgetall(place.key))
    },
    close: () => {
      for (const redis of servers) redis.disconnect()
    },
  }
}

/** An id that says nothing new is left out: it is the reserved one. */
function inWords(key: string, fields: Record<string, string>): LedgerRecord | undefined {
  const record = Object.fromEntries(Object.entries(fields).map(([name, value]) => [WORDS[name] ?? name, value]))
  const { state: letter, reserved = '', id } = record
  if (letter === undefined) return undefined
  const state = STATES[letter] ?? letter
  return { ...record, key, state, ...(isDone(state) && { id: id ?? reserved }) }
}

const isDone = (state: string) => state === 'approved' || state === 'reversed'

const nameOf = (account: string, customId: string) => `${account} ${customId}`
