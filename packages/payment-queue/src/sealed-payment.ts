import { type Credentials, type Instrument, type PayRequest, Secret } from '@pay/mapper'
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
export function sealPayment({ request, credentials }: Payment, id: Attempt, keys: SealKeys): string {
  const plain = {
    request: { ...request, instrument: laidOpen(request.instrument) },
    credentials: laidOpen(credentials),
  }
  return seal(JSON.stringify(plain), paymentBinding(id), keys)
}

/** The payment as the gateway parsed it, or `CannotOpen`. */
export const openPayment = (sealed: string, id: Attempt, keys: SealKeys): Payment =>
  read(payment, open(sealed, paymentBinding(id), keys))

/** Seals PayConex' credentials alone, for the ledger: whoever takes a payment over has to ask what became of it. */
export const sealCredentials = (value: Credentials, key: string, keys: SealKeys): string =>
  seal(JSON.stringify(laidOpen(value)), credentialsBinding(key), keys)

export const openCredentials = (sealed: string, key: string, keys: SealKeys): Credentials =>
  read(credentials, open(sealed, credentialsBinding(key), keys))

/** The fields with their secrets taken from their holders, which JSON would show as `[secret]`. */
const laidOpen = (fields: Instrument | Credentials): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Secret ? value.expose() : value]),
  )

function read<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> {
  const parsed = schema.safeParse(jsonOf(text))
  if (!parsed.success) throw new CannotOpen('OTHER_VERSION')
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
