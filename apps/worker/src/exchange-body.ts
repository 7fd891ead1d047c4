import type { IncomingMessage } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { reasonOf } from '@pay/service'

// An answer has some hundred bytes, also when it is packed.
const ANSWER_LIMIT_BYTES = 1024 * 1024

const TOO_LARGE = 'answer too large'

/** What is asked for, and so all that is unpacked. PayConex has been seen answering so. */
export const ACCEPTED_ENCODING = 'gzip'

type Ends = { hear: (status: number, text: string) => void; lose: (reason: string) => void }

/** The text of an answer when all of it has come; what is cut off, too large or packed badly is lost. */
export function readBody(answer: IncomingMessage, { hear, lose }: Ends): void {
  const chunks: Buffer[] = []
  let bytes = 0
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > ANSWER_LIMIT_BYTES) lose(TOO_LARGE)
    else chunks.push(chunk)
  })
  answer.once('end', () => {
    if (!answer.complete) return lose('ECONNRESET')
    try {
      hear(answer.statusCode as number, textOf(chunks, answer.headers['content-encoding']))
    } catch (error) {
      lose(error instanceof RangeError ? TOO_LARGE : reasonOf(error))
    }
  })
  answer.on('error', (error) => lose(reasonOf(error)))
}

/** Nearly always it comes in one piece. */
function textOf(chunks: readonly Buffer[], encoding = ''): string {
  const body = chunks[0] && chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
  const isPacked = body.length > 0 && /^(x-)?gzip$/i.test(encoding)
  return (isPacked ? gunzipSync(body, { maxOutputLength: ANSWER_LIMIT_BYTES }) : body).toString()
}
