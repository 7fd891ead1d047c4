import { createIdentity } from '@pay/ledger'
import { parsePayRequest, Secret } from '@pay/mapper'
import { sealKeys } from '@pay/payment-queue'
import type { Try } from '../apps/gateway/src/pay.ts'
import visaCharge from '../examples/charge-card.json' with { type: 'json' }
import visaToken from '../examples/tokenize-card.json' with { type: 'json' }

/** What is paid for in the schedules. Keys are made up once: nothing here depends on them. */

const key = (fill: string) => Buffer.from(fill.padEnd(32, '.'))

export const ring = sealKeys.parse(`k1:${key('schedules seal').toString('base64')}`)
export const identity = createIdentity(key('schedules ledger'))
export const credentials = { accountId: '120615000001', accessKey: new Secret('0123456789abcdef0123456789abcdef') }
export const AMOUNTS = ['10.00', '20.00'] as const

export type Order = { method: 'charge' | 'tokenize'; transactionId: string; variant: 0 | 1 }

const orders = new Map<string, Omit<Try, 'hungUp'>>()

/** One request: two variants of the same id differ in the amount, or for a token in the card's expiry. */
export function requestOf(order: Order): Omit<Try, 'hungUp'> {
  const name = `${order.method} ${order.transactionId} ${order.variant}`
  const made = orders.get(name) ?? make(order)
  orders.set(name, made)
  return made
}

function make({ method, transactionId, variant }: Order): Omit<Try, 'hungUp'> {
  const body =
    method === 'charge'
      ? { ...visaCharge, transaction_id: transactionId, amount: AMOUNTS[variant] }
      : { ...visaToken, transaction_id: transactionId, expiry_month: ['08', '09'][variant] }
  const parsed = parsePayRequest(body, { currencies: ['USD'] })
  if (!parsed.ok) throw new Error(`refused: ${parsed.field}`)
  return { request: parsed.request, body, credentials }
}
