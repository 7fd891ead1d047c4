import { describe, expect, it } from 'vitest'
import { classify } from './classify.ts'

/** The decision alone. What real sockets give it to decide on stands in `classify.integration.test.ts`. */

const fresh = { hasConnected: false, bytesWritten: 0, reason: 'ECONNRESET' }

describe('one and the same ECONNRESET', () => {
  it.each([
    ['before the connection stood', fresh, 'unsent'],
    ['before the connection stood, while bytes waited for it', { ...fresh, bytesWritten: 300 }, 'unsent'],
    ['when it stood and nothing had been written', { ...fresh, hasConnected: true }, 'unsent'],
    ['when one byte had been written', { ...fresh, hasConnected: true, bytesWritten: 1 }, 'lost'],
    [
      'when nobody can say how much had been written',
      { ...fresh, hasConnected: true, bytesWritten: Number.NaN },
      'lost',
    ],
  ])('%s', (_, evidence, kind) => {
    expect(classify(evidence)).toMatchObject({ kind, reason: 'ECONNRESET' })
  })
})

describe('what was not sent', () => {
  it('is worth another try', () => {
    expect(classify(fresh)).toEqual({ kind: 'unsent', reason: 'ECONNRESET', retry: true })
  })

  it('is not when the certificate was refused: it will be again', () => {
    const refused = { ...fresh, certificateError: 'CERT_HAS_EXPIRED', reason: 'CERT_HAS_EXPIRED' }

    expect(classify(refused)).toEqual({ kind: 'unsent', reason: 'CERT_HAS_EXPIRED', retry: false })
  })
})

it('a whole answer is an answer, whatever else was seen', () => {
  const answer = { status: 500, text: 'sorry' }

  expect(classify({ ...fresh, answer })).toEqual({ kind: 'answered', ...answer })
})
