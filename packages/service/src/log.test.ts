import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LogFields, reasonOf } from './log.ts'

const CARD = '4111111111111111'

describe('the reason in a log', () => {
  it.each<[string, unknown, string]>([
    ['an error’s code', Object.assign(new Error(CARD), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    ['an error’s class', new TypeError(CARD), 'TypeError'],
    ['an error’s class when its code is a number', Object.assign(new RangeError(CARD), { code: 20 }), 'RangeError'],
    ['the name of a time limit', AbortSignal.abort().reason, 'AbortError'],
    ['the type of what is no error', CARD, 'string'],
    ['the type of nothing', undefined, 'undefined'],
    ['the type of what only looks like an error', { message: CARD, name: CARD, code: CARD }, 'object'],
  ])('is %s', (_, error, reason) => {
    expect(reasonOf(error)).toBe(reason)
  })

  it('never has anything of a message, a cause or a stack', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{13,19}$/), (digits) => {
        const error = new Error(`no ${digits}`, { cause: new Error(digits) })

        expect(reasonOf(error)).not.toContain(digits)
      }),
    )
  })
})

describe('the fields of a log line', () => {
  it('are those that somebody decided on: this file would not compile otherwise', () => {
    const known: LogFields = { event: 'payment.accepted', payment: 'p_1', attempt: 1, state: 'accepted' }
    // @ts-expect-error: a request's fields are not among them
    const unknown: LogFields = { event: 'payment.accepted', cardnumber: CARD }
    // @ts-expect-error: nor are events that docs/logs.md does not have
    const unheardOf: LogFields = { event: 'payment.printed' }

    expect(Object.keys({ ...known, ...unheardOf, ...unknown })).toContain('cardnumber')
  })
})
