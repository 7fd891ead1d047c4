import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repository } from '../stack/service.ts'
import type { Flags } from './options.ts'
import type { Body } from './play-twilio.ts'

/** The documented request of this name, with a transaction_id of its own. */
export const example = (name: string): Promise<Body> => readBody(join(repository, 'examples', `${name}.json`))

async function readBody(file: string): Promise<Body> {
  return { ...JSON.parse(await readFile(file, 'utf8')), transaction_id: randomUUID() }
}

/** The request that the flags describe: an example, and what they change in it. */
export async function bodyFrom(flags: Flags): Promise<Body> {
  const base = await (flags.example === undefined ? example(exampleFor(flags)) : readBody(flags.example))
  return { ...base, ...changes(flags), ...parametersFrom(flags, base) }
}

const exampleFor = ({ tokenize, bank }: Flags) =>
  `${tokenize ? 'tokenize' : 'charge'}-${bank === undefined ? 'card' : 'bank'}`

function changes({ id, amount, currency, description, card, cvv, zip, bank, routing, expiry }: Flags): Body {
  const given = {
    transaction_id: id,
    amount,
    currency_code: currency,
    description,
    cardnumber: card,
    cvv,
    postal_code: zip,
    bankaccountnumber: bank || undefined,
    routingnumber: routing,
    ...(expiry === undefined ? {} : expiryFrom(expiry)),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function expiryFrom(expiry: string): Body {
  const [, month, year] = /^(\d{2})\/?(\d{2}|\d{4})$/.exec(expiry) ?? []
  if (month === undefined) throw new TypeError('--expiry must be written MM/YY')
  return { expiry_month: month, expiry_year: year }
}

function parametersFrom({ parameter = [] }: Flags, base: Body): Body {
  if (parameter.length === 0) return {}
  const given = parameter.map((pair) => {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
    if (name === '') throw new TypeError('--parameter must be written name=value')
    return [name, value]
  })
  return { parameters: { ...(base.parameters as Body | undefined), ...Object.fromEntries(given) } }
}

/** Requests without a `method` are of the old form, which carries it at the end of the path.
 * https://www.twilio.com/blog/now-use-any-payment-processor-with-twilio-pay */
export function endpointFor(url: string, { method, amount }: Body): string {
  if (method !== undefined) return url
  return `${url.replace(/\/$/, '')}/${amount === undefined ? 'tokenize' : 'charge'}`
}
