import fc from 'fast-check'
import * as recorded from './recorded-answers.ts'

/** Bodies that PayConex, something in front of it, or a broken line between us might produce. Most of them begin as a recorded
 * answer and are then spoiled, because noise is refused at the door and tests nothing behind it. Test support only. */

/** One of the answers, with members changed for likely and unlikely values; undefined ones are missing. */
export const spoiled = (...answers: readonly Members[]): fc.Arbitrary<Members> =>
  fc
    .tuple(fc.constantFrom(...answers), fc.dictionary(memberName(), value(), { maxKeys: 4 }))
    .map(([answer, changes]) => ({ ...answer, ...changes }))

export const spoiledMembers = spoiled({}, ...Object.values(recorded))

/** The same as text, in JSON or as a form, whole or broken; and noise. */
export const hostileBody: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: text() },
  { weight: 2, arbitrary: fc.tuple(text(), fc.nat(400)).map(([whole, length]) => whole.slice(0, length)) },
  { weight: 2, arbitrary: fc.tuple(text(), fc.nat(400), fc.string({ maxLength: 3 })).map(overwritten) },
  { weight: 1, arbitrary: fc.tuple(text(), text()).map(([one, other]) => one + other) },
  { weight: 1, arbitrary: text().map((whole) => `<html><body>${whole}</body></html>`) },
  { weight: 1, arbitrary: text().map((whole) => `[${whole}]`) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
)

/** Mostly statuses whose body is believed, so that the bodies are tested too. */
export const httpStatus = fc.constantFrom(200, 200, 200, 201, 302, 400, 422, 429, 500, 503)

/** Whether a member, however it is spelled, can be meant as a yes. */
export const isYes = (member: unknown) => /^(true|1|y|yes)$/i.test(String(member).trim())

type Members = Readonly<Record<string, unknown>>

function memberName() {
  return fc.constantFrom(
    'transaction_id',
    'original_transaction_id',
    'transaction_approved',
    'error',
    'found',
    'error_code',
    'error_message',
    'transaction_amount',
    'request_amount',
    '__proto__',
    'constructor',
  )
}

function value() {
  const id = fc.constantFrom('000000012345', 12345, ' 12345 ', '000000012349', '000000099999', 0, '', -1, '１２３４５')
  const word = fc.constantFrom(true, false, 1, 0, '1', '0', 'Y', 'no', ' TRUE ', null, '', 'maybe', undefined, 2)
  const code = fc.constantFrom(0, '0', '00', 30002, '30370', 20687, '20687', '', null, 'x', 0.5, 1e21)
  const amount = fc.constantFrom(10, '10.00', 9.99, '10,00', -10, null)
  const nonsense = fc.constantFrom([], [true], { transaction_approved: true }, { toString: 'x' }, [['1']])
  const likely = fc.oneof(id, word, code, amount)
  const unlikely = fc.oneof(nonsense, fc.string({ maxLength: 20 }), fc.json())
  return fc.oneof({ weight: 4, arbitrary: likely }, { weight: 1, arbitrary: unlikely })
}

function text() {
  return spoiledMembers.chain((members) => fc.constantFrom(JSON.stringify(members), formOf(members)))
}

const formOf = (members: Members) =>
  new URLSearchParams(
    Object.entries(members)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]): [string, string] => [name, formText(member)]),
  ).toString()

const formText = (member: unknown) => (typeof member === 'object' ? JSON.stringify(member) : String(member))

function overwritten([whole, at, noise]: [string, number, string]): string {
  return whole.slice(0, at) + noise + whole.slice(at + noise.length)
}
