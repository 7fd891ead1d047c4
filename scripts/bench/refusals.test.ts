import { expect, it } from 'vitest'
import { parseRefusals } from './refusals.ts'

const PAGE = `# TYPE pay_gateway_refusal_duration_seconds histogram
pay_gateway_refusal_duration_seconds_bucket{le="0.025",reason="full"} 3
pay_gateway_refusal_duration_seconds_bucket{le="0.05",reason="full"} 5
pay_gateway_refusal_duration_seconds_bucket{le="0.05",reason="queue too long"} 10
pay_gateway_refusal_duration_seconds_bucket{le="+Inf",reason="full"} 6
pay_gateway_refusal_duration_seconds_count{reason="full"} 6
pay_gateway_refusal_duration_seconds_count{reason="queue too long"} 10
`

it('refusals for all reasons are added up', () => {
  expect(parseRefusals(PAGE)).toEqual({ all: 16, atOnce: 15 })
})
