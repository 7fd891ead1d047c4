import type { Gateway, Stack } from '../scripts/stack/stack.ts'
import { type Body, visaCharge } from './caller.ts'
import { createPayers, type Payer } from './matrix-payer.ts'

type Payers = ReturnType<typeof createPayers>

/** People who each pay at one gateway, however many there are; and who try again at another. */
export function createCrowd(stack: Stack, timeScale: number) {
  const payersOf = new Map<Gateway | undefined, Payers>()

  function payersAt(gateway: Gateway | undefined): Payers {
    const gateways = gateway ? [gateway] : []
    const payers = payersOf.get(gateway) ?? createPayers({ stack: { ...stack, gateways }, timeScale })
    payersOf.set(gateway, payers)
    return payers
  }

  const payerAt = (gateway: Gateway | undefined, body: Body = visaCharge(), account?: string): Payer =>
    payersAt(gateway).payer(() => body, account)

  return {
    payerAt,
    /** The same payment at this gateway, with these changes. */
    again: (gateway: Gateway | undefined, { body, account }: Payer, changes: Body = {}): Payer =>
      payerAt(gateway, { ...body, ...changes }, account),
    close: () => {
      for (const { close } of payersOf.values()) close()
    },
  }
}
