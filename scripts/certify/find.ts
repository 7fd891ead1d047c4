import { readFileSync } from 'node:fs'
import { SECOND } from '@pay/service'
import { createExchange } from '../../apps/worker/src/exchange.ts'
import { createPayconex } from '../../apps/worker/src/payconex.ts'
import { examine } from './examine.ts'
import type { Findings, Question } from './findings.ts'
import type { CertifyOptions } from './options.ts'

/** Asks everything with the worker's own client; `onQuestion` is told of each question as it is asked. */
export async function find(options: CertifyOptions, onQuestion: (question: Question) => void): Promise<Findings> {
  const { url, credentials, card, expiry, caFile, proxyUrl } = options
  const { exchange, close } = createExchange({
    connectTimeoutMs: 5 * SECOND,
    ca: caFile && readFileSync(caFile, 'utf8'),
    proxyUrl,
  })
  const payconex = createPayconex({ url, exchange, timeoutMs: 30 * SECOND, questionTimeoutMs: 30 * SECOND })
  try {
    return await examine({ payconex, credentials, card: { number: card, expiration: expiry }, onQuestion })
  } finally {
    close()
  }
}
