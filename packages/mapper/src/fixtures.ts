import authorization from '../../../examples/charge-authorization.json' with { type: 'json' }
import bankCharge from '../../../examples/charge-bank.json' with { type: 'json' }
import visaCharge from '../../../examples/charge-card.json' with { type: 'json' }
import declinedCharge from '../../../examples/charge-declined.json' with { type: 'json' }
import legacyCharge from '../../../examples/charge-legacy.json' with { type: 'json' }
import bankToken from '../../../examples/tokenize-bank.json' with { type: 'json' }
import visaToken from '../../../examples/tokenize-card.json' with { type: 'json' }
import { type ParseOptions, type PayRequest, parsePayRequest } from './pay-request.ts'

/** The requests in `examples/`, so that the examples cannot rot. Test support only. */
export { authorization, bankCharge, bankToken, declinedCharge, legacyCharge, visaCharge, visaToken }

/** The body as a parsed request; the test fails if it is refused. */
export function accepted(body: Record<string, unknown>, options: ParseOptions = { currencies: ['USD'] }): PayRequest {
  const parsed = parsePayRequest(body, options)
  if (!parsed.ok) throw new Error(`refused: ${parsed.field}`)
  return parsed.request
}

/** The field the body is refused for, undefined if it is accepted. */
export function refusedField(body: Record<string, unknown>, options: ParseOptions = { currencies: ['USD'] }) {
  const parsed = parsePayRequest(body, options)
  return parsed.ok ? undefined : parsed.field
}
