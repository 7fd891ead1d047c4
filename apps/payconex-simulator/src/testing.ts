import { createSimulator } from './app.ts'

/** The cast of all tests. The card and the bank account are the ones Bluefin's certification host accepts. */
export const credentials = { account_id: '120614968961', api_accesskey: '69e9c4dd6b8ab9ab47da4e288df78315' }

export const visa = { tender_type: 'CARD', card_number: '4000100011112224', card_expiration: '0939' }

export const ann = { first_name: 'Ann', last_name: 'Example' }

export const bankAccount = { tender_type: 'ACH', bank_account_number: '15378535', bank_routing_number: '244183602' }

export const sale = { ...visa, ...ann, transaction_type: 'SALE', transaction_amount: '10.00', card_verification: '123' }

export const store = { ...visa, ...ann, transaction_type: 'STORE' }

export const bankSale = { ...bankAccount, ...ann, transaction_type: 'SALE', transaction_amount: '1.00' }

/** Says which secrets of the cast stand in a text, as words of their own: any four digits may be part of an id. */
export const findSecrets = (text: string) =>
  ['4000100011112224', '15378535', '244183602', credentials.api_accesskey, secretCvv].filter((secret) =>
    new RegExp(`\\b${secret}\\b`).test(text),
  )

export const secretCvv = '7391'

export type Form = Record<string, string>

/** An answer, whatever it has; tests say what they expect. */
export type Json = Record<string, unknown> & { transaction_id?: string }

interface Controlled {
  [name: string]: unknown
  status: number
}

/** Lends a simulator on a free port and takes it back. */
export async function withSimulator(use: (simulator: Client) => Promise<void>): Promise<void> {
  const { url, close } = await createSimulator().listen()
  try {
    await use(createClient(url))
  } finally {
    await close()
  }
}

export type Client = ReturnType<typeof createClient>

function createClient(url: string) {
  const post = (path: string, form: Form, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams({ ...credentials, ...form }), ...init })
  const postJson = async (path: string, form: Form) =>
    (await (await post(path, { response_format: 'JSON', ...form })).json()) as Json

  return {
    url,
    post,
    qsapi: (form: Form) => postJson('/api/qsapi/3.8', form),
    tsapi: (form: Form) => postJson('/api/tsapi/3.8', form),
    /** A payment that may fail on the way: resolves with the raw response, or with undefined if there was none. */
    attempt: (form: Form, timeoutMs = 5000) =>
      post('/api/qsapi/3.8', { response_format: 'JSON', ...form }, { signal: AbortSignal.timeout(timeoutMs) }).catch(
        () => undefined,
      ),
    async reserve() {
      const { transaction_id: id = '' } = await postJson('/api/tsapi/3.8', { action: 'GET_TRANSACTION_ID' })
      return id
    },
    status: (id: string) => postJson('/api/tsapi/3.8', { action: 'GET_TRANSACTION_STATUS', transaction_id: id }),
    async control(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') {
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
      const response = await fetch(`${url}/_sim${path}`, init)
      return { ...((await response.json()) as object), status: response.status } as Controlled
    },
    /** The books, of one custom_id or of all. */
    async ledger(customId?: string) {
      const query = customId === undefined ? '' : `?custom_id=${encodeURIComponent(customId)}`
      return (await (await fetch(`${url}/_sim/ledger${query}`)).json()) as Books
    },
    page: async () => (await fetch(`${url}/`)).text(),
  }
}

interface Books {
  transactions: Json[]
  duplicates: Json[]
  requests: Record<string, number>
  charged: { count: number; total: string }
  returned: { count: number; total: string }
}

/** Asks again until the answer suits, for what happens a moment after the caller has gone. */
export async function eventually(check: () => Promise<boolean>, timeoutMs = 2000): Promise<void> {
  const giveUp = Date.now() + timeoutMs
  while (!(await check())) {
    if (Date.now() > giveUp) throw new Error('it did not happen in time')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
