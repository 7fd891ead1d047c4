import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import bankCharge from '../../../examples/charge-bank.json' with { type: 'json' }
import { ENDPOINT } from './app.ts'
import openapi from './openapi.json' with { type: 'json' }
import type { Pay } from './pay.ts'
import { type Question, visaCharge, visaToken, withApp } from './testing.ts'

const ajv = new Ajv2020({ strict: false, allErrors: true })
ajv.addSchema({ ...openapi, $id: 'openapi' })
const isPayRequest = ajv.compile({ $ref: 'openapi#/components/schemas/PayRequest' })

/** Whether the description has this answer: its path, its status, and its body. */
function isDescribed(path: string, { status, json }: { status: number; json: unknown }) {
  const { responses } =
    (openapi.paths as Record<string, { post: { responses: Record<string, unknown> } }>)[path]?.post ?? {}
  const isReply = ajv.compile({ $ref: 'openapi#/components/schemas/PayReply' })
  return { status: String(status) in (responses ?? {}), body: isReply(json) || isReply.errors }
}

const DESCRIBED = { status: true, body: true }

describe('the OpenAPI description', () => {
  it('is one, of version 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(openapi) as never)

    expect(errors ?? []).toEqual([])
    expect(valid).toBe(true)
    expect(openapi.openapi).toMatch(/^3\.1\./)
  })

  it('names the paths of the gateway, and no others', () => {
    expect(Object.keys(openapi.paths)).toEqual([ENDPOINT, `${ENDPOINT}/{method}`])
  })

  it.each([visaCharge, visaToken, bankCharge])('takes the requests of the examples', (body) => {
    expect(isPayRequest(body) || isPayRequest.errors).toBe(true)
  })

  it.each([
    ['nothing', {}],
    ['an id that is too long', { ...visaCharge, transaction_id: 'x'.repeat(51) }],
    ['no expiry', { ...visaCharge, expiry_month: undefined }],
  ])('takes as little as the gateway does: %s', async (_, body) => {
    await withApp(async ({ ask }) => {
      const { json } = await ask({ body: JSON.stringify(body) })

      expect(json.error_code).toBe('invalid_request')
      expect(isPayRequest(JSON.parse(JSON.stringify(body)))).toBe(false)
    })
  })

  const verdicts: Awaited<ReturnType<Pay>>[] = [
    { kind: 'approved', transactionId: '000000012345' },
    { kind: 'declined', code: '30002', message: 'DECLINED' },
    { kind: 'not_processed' },
    { kind: 'unconfirmed' },
    { kind: 'transaction_id_reused' },
  ]

  it.each(verdicts)('has what the gateway answers: $kind', async (verdict) => {
    await withApp(
      async ({ ask }) => {
        const charge = await ask({ body: JSON.stringify(visaCharge) })
        const token = await ask({ body: JSON.stringify(visaToken) })

        expect(isDescribed(ENDPOINT, charge)).toEqual(DESCRIBED)
        expect(isDescribed(ENDPOINT, token)).toEqual(DESCRIBED)
      },
      { pay: async () => verdict },
    )
  })

  const refusals: [string, Question][] = [
    ['200', { body: JSON.stringify({ ...visaCharge, amount: '0' }) }],
    ['400', { body: 'no JSON' }],
    ['401', { body: '{}', headers: { authorization: 'Basic x' } }],
    ['413', { body: JSON.stringify({ ...visaCharge, description: 'x'.repeat(70_000) }) }],
  ]

  it.each(refusals)('has the refusal with status %s, on both paths', async (status, question) => {
    await withApp(async ({ ask }) => {
      const answer = await ask(question)
      const old = await ask({ ...question, path: `${ENDPOINT}/charge` })

      expect(String(answer.status)).toBe(status)
      expect(isDescribed(ENDPOINT, answer)).toEqual(DESCRIBED)
      expect(isDescribed(`${ENDPOINT}/{method}`, old)).toEqual(DESCRIBED)
    })
  })
})
