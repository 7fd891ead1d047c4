import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Door, visaCharge, visaToken, withApp } from './testing.ts'

const REFUSED = ['invalid_request', null]

/** Values as a broken or a hostile caller would send them. */
const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '0', '-1', '1e9', 'NaN', '__proto__', 'constructor', '4111111111111111', null, {}, [], 1e21, -0),
)

/** A proper request in which some fields say something else, and some of nobody's are added. */
const nearMiss = fc
  .tuple(
    fc.constantFrom<object>(visaCharge, visaToken),
    fc.dictionary(fc.constantFrom(...Object.keys(visaCharge)), anything),
    fc.dictionary(fc.string(), anything, { maxKeys: 3 }),
  )
  .map(([proper, wrong, more]) => JSON.stringify({ ...more, ...proper, ...wrong }))

const anyJson = fc.jsonValue({ noUnicodeString: false }).map((value) => JSON.stringify(value))

const anyText = fc.string({ unit: 'binary', maxLength: 200 })

const PATHS = ['', '/', '/charge', '/tokenize'].map((end) => `/api/v4/payments/twilio-bridge${end}`)

async function expectAnAnswer({ ask, lines }: Door, path: string, body: string): Promise<void> {
  const { status, json } = await ask({ path, body })

  expect([200, 400]).toContain(status)
  expect(Object.keys(json)).toEqual([expect.stringMatching(/^(charge|token)_id$/), 'error_code', 'error_message'])
  expect(REFUSED).toContain(json.error_code)
  expect(lines.filter(({ level }) => level !== 'info')).toEqual([])
}

it.each([
  ['almost a payment', nearMiss, 1200],
  ['any JSON', anyJson, 500],
  ['any text', anyText, 300],
])('a body that is %s is answered with three keys and no error of ours', (_, bodies, numRuns) =>
  withApp(async (door) => {
    const property = fc.asyncProperty(fc.constantFrom(...PATHS), bodies, (path, body) =>
      expectAnAnswer(door, path, body),
    )

    await fc.assert(property, { numRuns })
  }),
)
