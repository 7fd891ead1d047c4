/* What the two contenders that are not ours have in common: the bridge as one would write it in an afternoon. It takes requests as
 * good as the benchmark's; it checks, seals, reserves and remembers nothing. */

export type Order = {
  transaction_id: string
  cardnumber: string
  cvv: string
  amount: string
  expiry_month: string
  expiry_year: string
  postal_code: string
  description: string
  parameters: Record<string, string>
}

export type Credentials = { user: string; password: string }

export type Answer = {
  transaction_id: string
  transaction_approved: boolean
  error_code: number
  error_message: string | null
}

/** Undefined where there are none. */
export function credentialsOf(authorization = ''): Credentials | undefined {
  const [, encoded = ''] = /^Basic (.+)$/.exec(authorization) ?? []
  const [user = '', password = ''] = Buffer.from(encoded, 'base64').toString().split(':')
  return user && password ? { user, password } : undefined
}

export const toForm = (order: Order, { user, password }: Credentials): URLSearchParams =>
  new URLSearchParams({
    account_id: user,
    api_accesskey: password,
    response_format: 'JSON',
    transaction_type: 'SALE',
    tender_type: 'CARD',
    transaction_amount: Number(order.amount).toFixed(2),
    card_number: order.cardnumber,
    card_verification: order.cvv,
    card_expiration: `${order.expiry_month}${order.expiry_year.slice(-2)}`,
    zip: order.postal_code,
    transaction_description: order.description,
    custom_id: order.transaction_id,
    ...order.parameters,
  })

export const toReply = (answer: Answer) =>
  answer.transaction_approved
    ? { charge_id: answer.transaction_id, error_code: null, error_message: null }
    : { charge_id: null, error_code: String(answer.error_code), error_message: answer.error_message }
