import { type Credentials, type PayRequest, Secret } from '@pay/mapper'
import { z } from 'zod'
import type { Attempt } from './payment-queue.ts'
import { CannotOpen, open, seal } from './seal.ts'
import type { SealKeys } from './seal-keys.ts'

export type Payment = { request: PayRequest; credentials: Credentials }

const secret = z.string().transform((text) => new Secret(text))

const credentials = z.strictObject({ accountId: z.string(), accessKey: secret })

/** The door of the worker: what a gateway of any version that still runs may have sealed. */
const payment = z.strictObject({
  request: z.strictObject({
    method: z.enum(['charge', 'tokenize']),
    transactionId: z.string(),
    instrument: z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('card'),
        number: secret,
        expiration: secret,
        verification: secret.exactOptional(),
      }),
      z.strictObject({
        kind: z.literal('bank'),
        accountNumber: secret,
        routingNumber: secret,
        accountType: z.enum(['CHECKING', 'SAVINGS']).exactOptional(),
      }),
    ]),
    amount: z.string().exactOptional(),
    currency: z.string().exactOptional(),
    description: z.string().exactOptional(),
    postalCode: z.string().exactOptional(),
    parameters: z.record(z.string(), z.string()),
  }),
  credentials,
})

const paymentBinding = ({ key, attempt }: Attempt) => `payment:${key}.${attempt}`
const credentialsBinding = (key: string) => `credentials:${key}`

/** Seals a whole payment for its job. The only places that expose a secret are here and PayConex' client. */
export const sealPayment = (value: Payment, id: Attempt, keys: SealKeys): string =>
  seal(JSON.stringify(value, exposed), paymentBinding(id), keys)

/** The payment as the gateway parsed it, or `CannotOpen`. */
export const openPayment = (sealed: string, id: Attempt, keys: SealKeys): Payment =>
  read(payment, open(sealed, paymentBinding(id), keys))

/** Seals PayConex' credentials alone, for the ledger: whoever takes a payment over has to ask what became of it. */
export const sealCredentials = (value: Credentials, key: string, keys: SealKeys): string =>
  seal(JSON.stringify(value, exposed), credentialsBinding(key), keys)

export const openCredentials = (sealed: string, key: string, keys: SealKeys): Credentials =>
  read(credentials, open(sealed, credentialsBinding(key), keys))

/** JSON.stringify asks `toJSON` before it asks this function, so the secret is taken from its holder. */
function exposed(this: unknown, name: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[name]
  return original instanceof Secret ? original.expose() : value
}

function read<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  const parsed = schema.safeParse(jsonOf(text))
  if (!parsed.success) throw new CannotOpen('sealed by another version of this program')
  return parsed.data
}

/** Undefined where it is no JSON. The parser's own error would quote what it read. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
