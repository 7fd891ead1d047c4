import { Redis } from 'ioredis'
import type { OurRecord } from './oracle.ts'

export type LedgerBook = ReturnType<typeof openLedgerBook>

/** Reads our ledger past everything that reads it otherwise: the records as they lie there, so that a mistake in reading
 * them cannot hide one in writing them. Asked while the ledger is away, it fails. */
export function openLedgerBook(url: string) {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, commandTimeout: 5_000, retryStrategy: () => 100 })
  redis.on('error', () => undefined)

  async function records(): Promise<OurRecord[]> {
    const found: OurRecord[] = []
    let cursor = '0'
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${PREFIX}*`, 'COUNT', 1_000)
      cursor = next
      found.push(...(await Promise.all(keys.map(read))))
    } while (cursor !== '0')
    // A scan may name a key twice.
    return [...new Map(found.map((record) => [JSON.stringify(record), record])).values()]
  }

  async function read(key: string): Promise<OurRecord> {
    const values = await redis.hmget(key, 'c', 'a', 'm', 's', 'n', 'i', 'r')
    const [customId = '', account = '', method = '', letter = '', attempt = '', own = '', reserved = ''] = values.map(
      (value) => value ?? '',
    )
    const state = stateOf(letter)
    // An id that says nothing new is left out: it is the reserved one.
    const id = own === '' && (state === 'approved' || state === 'reversed') ? reserved : own
    return { customId, account, method: METHODS[method] ?? method, state, attempt: Number(attempt), id }
  }

  return {
    records,
    /** What is not over yet, with its state. */
    open: async (): Promise<Map<string, string>> => {
      const keys = await redis.zrange('{s0}:open', 0, '-1')
      const states = await Promise.all(
        keys.map(async (key) => stateOf((await redis.hget(`${PREFIX}${key}`, 's')) ?? 'none')),
      )
      return new Map(keys.map((key, nth) => [key, states[nth] ?? 'none']))
    },
    close: () => redis.disconnect(),
  }
}

/** How a payment that is over is written. */
const STATES: Readonly<Record<string, string>> = { a: 'approved', d: 'declined', n: 'not_sent', r: 'reversed' }
const METHODS: Readonly<Record<string, string>> = { c: 'charge', t: 'tokenize' }

const stateOf = (letter: string) => STATES[letter] ?? letter

const PREFIX = '{s0}:payment:'
