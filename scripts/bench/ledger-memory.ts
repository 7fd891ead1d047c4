import type { Redis } from 'ioredis'
import { closedLoop, type Load } from './load.ts'
import { atMost, type Result, type Settings, short } from './result.ts'
import { onStage, warmUp } from './stage.ts'
import { sum } from './statistics.ts'

const LIMIT_BYTES = 400
const WARM_PAYMENTS = 500
const BATCH_SECONDS = 1
/** Of each kind of key. */
const SAMPLES = 200
/** The server gives back what a burst of clients needed. */
const REST_MS = 2_000

type KeyKind = { kind: string; keys: number; bytes: number }

/** What the ledger needs for one payment that is over: by how much its memory grew over many of them, and by its own word for the
 * keys of one. */
export async function measureLedgerMemory(settings: Settings): Promise<Result> {
  const { payments = 5_000, callers = 64, say, startRedis } = settings
  const found = await onStage({ names: ['ours'], startRedis }, async (_payconex, ours) => {
    const ledger = ours.redises.find(({ kind }) => kind === 'ledger Redis')?.meter
    if (!ledger) throw new Error('there is no ledger')
    const makeSome = () => closedLoop({ client: ours.client, callers, seconds: BATCH_SECONDS })
    say('warming up ...')
    await warmUp(ours, WARM_PAYMENTS)
    await rest()
    const before = await ledger.usedBytes()
    let made = 0
    while (made < payments) {
      made += approvedOf(await makeSome())
      say(`${made} of ${payments} payments`)
    }
    await rest()
    return { made, grown: (await ledger.usedBytes()) - before, kinds: await weigh(ledger.client) }
  })
  return tell(found)
}

const approvedOf = ({ counts }: Load) => counts.approved

const rest = () => new Promise((resolve) => setTimeout(resolve, REST_MS))

/** The keys by what stands after the shard's hash tag, and what one of them weighs in the mean. */
async function weigh(ledger: Redis): Promise<KeyKind[]> {
  const kinds = new Map<string, { keys: number; sample: string[] }>()
  for await (const keys of ledger.scanStream({ count: 1000 })) {
    for (const key of keys as string[]) {
      const kind = /^\{\w+\}:([\w-]+)/.exec(key)?.[1] ?? key
      const seen = kinds.get(kind) ?? { keys: 0, sample: [] }
      seen.keys += 1
      if (seen.sample.length < SAMPLES) seen.sample.push(key)
      kinds.set(kind, seen)
    }
  }
  return Promise.all(
    [...kinds].map(async ([kind, { keys, sample }]) => {
      const bytes = await Promise.all(sample.map((key) => ledger.memory('USAGE', key)))
      return { kind, keys, bytes: sum(bytes.map(Number)) / sample.length }
    }),
  )
}

function tell({ made, grown, kinds }: { made: number; grown: number; kinds: readonly KeyKind[] }): Result {
  const each = grown / made
  return {
    title: 'What the ledger remembers',
    notes: [
      `The used memory of the ledger's server before and after ${made.toLocaleString('en-US')} payments that were approved, and what MEMORY USAGE says of their keys.`,
    ],
    tables: [
      {
        head: ['keys', 'how many', 'bytes each (MEMORY USAGE)'],
        rows: kinds
          .toSorted((one, other) => other.keys - one.keys)
          .map(({ kind, keys, bytes }) => [kind, String(keys), short(bytes)]),
      },
    ],
    charts: [],
    goals: [atMost('ledger memory per remembered payment', LIMIT_BYTES, each, (bytes) => `${short(bytes)} bytes`)],
    figures: { made, grown, bytesPerPayment: each, kinds },
  }
}
