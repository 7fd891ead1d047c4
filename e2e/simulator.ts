/** The simulator's own books: the witness of every test. Its answers are read as they come over HTTP. */
export type Transaction = {
  transaction_id: string
  account_id: string
  transaction_type: string
  tender_type: string
  custom_id: string
  transaction_amount: string
  approved: boolean
  reserved: boolean
  last4: string
  answered: boolean
}

export type Books = { transactions: Transaction[]; duplicates: unknown[]; requests: Record<string, number> }

/** `fields` are the names of all that was sent, `values` what of it is no secret. */
export type Request = { kind: string; fields: string[]; values: Record<string, string> }

export const witness = (url: string) => ({
  books: (customId?: unknown): Promise<Books> =>
    get(`${url}/_sim/ledger${customId === undefined ? '' : `?custom_id=${String(customId)}`}`),
  fault: (fault: Record<string, unknown>) => send(`${url}/_sim/faults`, fault),
  /** All, or those of one label. */
  clearFaults: async (label?: string) =>
    void (await fetch(`${url}/_sim/faults${label === undefined ? '' : `?label=${label}`}`, { method: 'DELETE' })),
  settings: (settings: Record<string, unknown>) => send(`${url}/_sim/settings`, settings),
  /** What arrived under this custom_id, answered or not. */
  requests: async (customId: unknown): Promise<Request[]> =>
    (await get<{ requests: Request[] }>(`${url}/_sim/requests?custom_id=${String(customId)}`)).requests,
  /** What arrived for this account; a question to TSAPI carries no custom_id. */
  requestsOf: async (account: string): Promise<Request[]> =>
    (await get<{ requests: Request[] }>(`${url}/_sim/requests?account_id=${account}`)).requests,
  /** How many requests it is working on, or holds open. */
  held: async (): Promise<number> => (await get<{ held: number }>(`${url}/_sim/faults`)).held,
})

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`the simulator answered ${response.status}`)
  return (await response.json()) as T
}

async function send(url: string, body: unknown): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`the simulator answered ${response.status}: ${await response.text()}`)
  return response.json()
}
