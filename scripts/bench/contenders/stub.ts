import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { settingsOf } from './settings.ts'

/* A PayConex that approves everything and remembers nothing, for measuring. The simulator keeps books, judges cards and can
 * fail in many ways; that costs more CPU than what is to be measured, and grows with every payment.
 *   POST /api/qsapi/3.8   a SALE, approved after `sale` ms
 *   POST /api/tsapi/3.8   GET_TRANSACTION_ID, answered after `reserve` ms
 *   POST /delays?sale=20&reserve=5   changes how long that takes from now on
 *   GET  /                that it is there */

const delaysMs = { sale: 0, reserve: 0 }
let lastId = Date.now() - Date.UTC(2025, 0, 1)
const nextId = () => String(++lastId).padStart(12, '0')

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stub')
  const form = request.method === 'POST' ? await text(request) : ''
  if (pathname.includes('/qsapi/')) return answer(response, delaysMs.sale, sale(form))
  if (pathname.includes('/tsapi/')) return answer(response, delaysMs.reserve, reservation())
  for (const name of ['sale', 'reserve'] as const) {
    delaysMs[name] = Number(searchParams.get(name) ?? delaysMs[name])
  }
  return answer(response, 0, '{}')
}

async function answer(response: ServerResponse, delayMs: number, json: string): Promise<void> {
  if (delayMs > 0) await sleep(delayMs)
  response.setHeader('content-type', 'application/json').end(json)
}

const reservation = () => JSON.stringify({ transaction_id: nextId(), error: false, error_code: 0, error_message: null })

/** The members of a recorded answer; those that say something about the request are taken from it. */
const sale = (form: string) =>
  JSON.stringify({
    transaction_id: fieldOf(form, 'transaction_id') ?? nextId(),
    tender_type: 'CARD',
    transaction_timestamp: '2015-04-22 15:12:43',
    card_brand: 'VISA',
    transaction_type: 'SALE',
    last4: '1111',
    card_expiration: '0827',
    authorization_code: 'CVI123',
    authorization_message: 'APPROVED',
    request_amount: Number(fieldOf(form, 'transaction_amount')),
    transaction_amount: Number(fieldOf(form, 'transaction_amount')),
    first_name: 'Ann',
    last_name: 'Example',
    keyed: true,
    swiped: false,
    transaction_approved: true,
    avs_response: 'Y',
    cvv2_response: 'M',
    transaction_description: 'Pizza',
    custom_id: fieldOf(form, 'custom_id') ?? null,
    custom_data: null,
    currency: 'USD',
    error: false,
    error_code: 0,
    error_message: null,
    error_msg: null,
  })

/** These three need no decoding. */
const fieldOf = (form: string, name: string) => new RegExp(`(?:^|&)${name}=([^&]*)`).exec(form)?.[1]

const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()))
// The worker closes idle connections first, as with PayConex.
server.keepAliveTimeout = 30_000
server.listen({ port: settingsOf(process.env).port, host: '127.0.0.1', backlog: 4096 })
