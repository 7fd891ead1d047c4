import { type EveryPaymentOptions, everyPayment, type PaymentRecord } from '@pay/ledger'
import { connectToRead } from '@pay/service'
import type { ReconcileOptions } from './options.ts'

export type Books = {
  payments: (options: Pick<EveryPaymentOptions, 'onProgress'>) => AsyncGenerator<PaymentRecord>
  close: () => void
}

/** The ledger, as somebody who may only read. */
export async function openBooks(env: ReconcileOptions['env']): Promise<Books> {
  const ledger = await connectToRead(env)
  return {
    payments: (options) => everyPayment({ ledger, ...options }),
    close: () => ledger.forEach((redis) => void redis.disconnect()),
  }
}
