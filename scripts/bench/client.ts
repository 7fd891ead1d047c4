import { randomUUID } from 'node:crypto'
import { Pool } from 'undici'
import visaCharge from '../../examples/charge-card.json' with { type: 'json' }
import { testAccount } from '../call/options.ts'
import { BRIDGE_PATH } from '../stack/fleet.ts'

/** What a caller heard: paid, told that nothing was done, or anything else and nothing at all. */
export type Told = 'approved' | 'refused' | 'failed'

export type Client = {
  /** One payment with an id of its own, to the next gateway in turn. Never throws. */
  pay: () => Promise<Told>
  close: () => Promise<void>
}

const PATIENCE_MS = 120_000
/** The payments come from several merchants, in turn. */
const ACCOUNTS = 4

/** Pays at these gateways. Connections are kept, as many as there are payments at once, so that the figures are those of payments
 * and not of TCP. */
export function createClient(urls: readonly string[]): Client {
  const pools = urls.map((url) => new Pool(url, { headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS }))
  let begun = 0
  return {
    async pay() {
      const nth = begun++
      const pool = pools[nth % pools.length] as Pool
      try {
        const { body } = await pool.request({
          method: 'POST',
          path: BRIDGE_PATH,
          headers: HEADERS[nth % ACCOUNTS] as Record<string, string>,
          body: JSON.stringify({ ...visaCharge, transaction_id: randomUUID() }),
        })
        return toldBy((await body.json()) as Reply)
      } catch {
        return 'failed'
      }
    },
    close: async () => void (await Promise.all(pools.map((pool) => pool.destroy()))),
  }
}

type Reply = { charge_id?: string | null; error_code?: string | null }

function toldBy({ charge_id, error_code }: Reply): Told {
  if (error_code === null && charge_id) return 'approved'
  return error_code === 'not_processed' ? 'refused' : 'failed'
}

const HEADERS = Array.from({ length: ACCOUNTS }, (_, nth) => {
  const user = String(Number(testAccount.user) + nth)
  const credentials = Buffer.from(`${user}:${testAccount.password}`).toString('base64')
  return { authorization: `Basic ${credentials}`, 'content-type': 'application/json' }
})
