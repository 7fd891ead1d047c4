import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readEnvironment } from './environment.ts'
import { contradictionOfTimes, createTimes, type Times, timeVariables } from './times.ts'

const read = (env: Record<string, string> = {}) => readEnvironment(z.object(timeVariables), env)
const contradiction = (env: Record<string, string>) => contradictionOfTimes(read(env))

/** What cannot be shortened at will: what others (BullMQ, Redis, the network) need their time for. */
const leastMs = {
  jobLockMs: 500,
  leavingMs: 250,
  heartbeatMs: 500,
  durableMs: 1000,
  weatherMs: 50,
  weatherReportMs: 200,
  weatherLeaseMs: 1000,
  /** Days that a payment is remembered are not scaled at all. */
  retentionMs: expect.any(Number),
}

const tenthOf = (ms: number) => ms / 10

describe('the times', () => {
  it('are the documented ones unless somebody says otherwise', () => {
    expect(createTimes(read())).toMatchObject({
      sendByMs: 22_000,
      answerByMs: 55_000,
      payconexTimeoutMs: 30_000,
      absenceMs: 630_000,
    })
  })

  it('look unconfirmed payments up ever more rarely, for five days', () => {
    const { unconfirmedScheduleMs } = createTimes(read())
    const seconds = unconfirmedScheduleMs.map((ms) => ms / 1000)

    expect(seconds.slice(0, 9)).toEqual([2, 5, 10, 20, 40, 120, 300, 900, 3600])
    expect(seconds.slice(9)).toEqual([86_400, 86_400, 86_400, 86_400, 86_400])
  })

  it('are all shortened together by TIME_SCALE, and none to nothing', () => {
    const whole = createTimes(read())
    const tenth = createTimes(read({ TIME_SCALE: '0.1' }))
    const smallest = createTimes(read({ TIME_SCALE: '0.0000001' }))

    const scalable = (times: Times) => Object.entries(times).filter(([name]) => !(name in leastMs))
    const scaled = scalable(whole).map(([name, ms]) => [name, Array.isArray(ms) ? ms.map(tenthOf) : tenthOf(ms)])
    expect(scalable(tenth)).toEqual(scaled)
    expect(Math.min(...Object.values(smallest).flat())).toBe(1)
    expect(smallest).toMatchObject({ ...leastMs, retentionMs: whole.retentionMs })
  })

  it('keep their order when they are shortened: a lease is renewed before it runs out', () => {
    const { leaseRenewMs, leaseMs, sendByMs, answerByMs } = createTimes(read({ TIME_SCALE: '0.01' }))

    expect(leaseRenewMs).toBeLessThan(leaseMs)
    expect(sendByMs).toBeLessThan(answerByMs)
  })
})

describe('times that contradict each other', () => {
  it('are a call to PayConex that may end after the answer', () => {
    const complaint = 'SEND_BY_MS + PAYCONEX_TIMEOUT_MS must not exceed ANSWER_BY_MS'

    expect(contradiction({ SEND_BY_MS: '25000' })).toBeUndefined()
    expect(contradiction({ SEND_BY_MS: '25001' })).toBe(complaint)
    expect(contradiction({ PAYCONEX_TIMEOUT_MS: '33001' })).toBe(complaint)
  })

  it('are an answer after Twilio stopped listening', () => {
    const complaint = 'ANSWER_BY_MS must not exceed TRIES x TRY_TIMEOUT_MS'

    expect(contradiction({ ANSWER_BY_MS: '60000' })).toBeUndefined()
    expect(contradiction({ ANSWER_BY_MS: '60001' })).toBe(complaint)
    expect(contradiction({ TRIES: '5' })).toBe(complaint)
    expect(contradiction({ TRY_TIMEOUT_MS: '9000' })).toBe(complaint)
  })
})

describe('TIME_SCALE', () => {
  it.each([
    ['1', 1],
    ['0.05', 0.05],
    ['.5', 0.5],
  ])('may be %s', (text, value) => {
    expect(read({ TIME_SCALE: text }).TIME_SCALE).toBe(value)
  })

  it.each(['0', '0.0', '1.1', '-1', '1e-3', '1.', '1/2', 'NaN', 'half', '1,0'])('may not be "%s"', (text) => {
    expect(() => read({ TIME_SCALE: text })).toThrow('TIME_SCALE: must be a number above 0 and at most 1')
  })
})

describe('a time', () => {
  it.each(['SEND_BY_MS', 'ANSWER_BY_MS', 'PAYCONEX_TIMEOUT_MS', 'TRY_TIMEOUT_MS', 'TRIES', 'ABSENCE_MARGIN_MS'])(
    'such as %s cannot be nothing',
    (name) => {
      expect(() => read({ [name]: '0' })).toThrow(`${name}: must be a whole number from 1 to`)
    },
  )
})
