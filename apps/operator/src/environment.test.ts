import { describe, expect, it } from 'vitest'
import { readOperatorEnvironment } from './environment.ts'

const ledger = { LEDGER_REDIS_URL: 'rediss://operator:secret@ledger.example:6379' }
const SCALE = 'TIME_SCALE must be 1 unless PAYCONEX_URL is on this machine'

describe('the times of whoever changes payments by hand', () => {
  it.each([
    ['are the usual ones where PayConex is not named', {}],
    ['are the usual ones with PayConex itself', { PAYCONEX_URL: 'https://secure.payconex.net', TIME_SCALE: '1' }],
    ['are shorter with the simulator on this machine', { PAYCONEX_URL: 'http://127.0.0.1:8090', TIME_SCALE: '0.1' }],
  ])('%s', (_, more) => {
    expect(() => readOperatorEnvironment({ ...ledger, ...more })).not.toThrow()
  })

  it.each([
    ['shorter where PayConex is not named', { TIME_SCALE: '0.1' }, SCALE],
    ['shorter where money moves', { TIME_SCALE: '0.1', PAYCONEX_URL: 'https://secure.payconex.net' }, SCALE],
    [
      'such as no worker would start with',
      { PAYCONEX_TIMEOUT_MS: '60000' },
      'SEND_BY_MS + PAYCONEX_TIMEOUT_MS must not exceed ANSWER_BY_MS',
    ],
  ])('are never %s', (_, more, problem) => {
    expect(() => readOperatorEnvironment({ ...ledger, ...more })).toThrow(problem)
  })
})
