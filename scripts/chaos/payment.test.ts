import { describe, expect, it } from 'vitest'
import { isContradiction, type PlanMix, planPayment, withOtherAmount } from './payment.ts'
import { createRandom } from './random.ts'

const mix: PlanMix = { seed: 7, faultShare: 0.1, tryMs: 500 }
const plans = (seed: number) =>
  Array.from({ length: 2_000 }, (_, nth) => planPayment(nth, { ...mix, seed }, createRandom(seed)))

describe('a planned payment', () => {
  it('follows from the seed and its number alone', () => {
    expect(planPayment(3, mix, createRandom(7))).toEqual(plans(7)[3])
    expect(planPayment(3, mix, createRandom(8))).not.toEqual(plans(7)[3])
  })

  it('has an id of its own and never one of the amounts that do something at PayConex, unless it is to be declined', () => {
    const all = plans(7)

    expect(new Set(all.map(({ customId }) => customId)).size).toBe(all.length)
    const magic = all.filter(({ method, amount }) => method === 'charge' && Number(amount) < 2)
    expect(new Set(magic.map(({ role }) => role))).toEqual(new Set(['is declined']))
    expect(new Set(magic.map(({ amount }) => amount))).toEqual(new Set(['1.01']))
  })

  it('comes in every role, with PayConex in every mood, as often as asked', () => {
    const all = plans(7)

    const faulty = all.flatMap(({ fault }) => (fault ? [fault.fault] : []))
    expect(new Set(all.map(({ role }) => role)).size).toBe(6)
    expect(faulty.length / all.length).toBeCloseTo(0.1, 1)
    expect(new Set(faulty).size).toBeGreaterThan(14)
  })

  it('is never answered later than PayConex may', () => {
    const delays = plans(7).flatMap(({ fault }) => (fault?.ms === undefined ? [] : [fault.ms]))

    expect(Math.max(...delays)).toBeLessThan(3 * mix.tryMs)
  })

  it('with a contradiction has an account of its own', () => {
    const contradicted = plans(7).filter(({ fault }) => isContradiction(fault))
    const others = plans(7).filter(({ fault }) => !isContradiction(fault))

    expect(contradicted.length).toBeGreaterThan(0)
    expect(others.map(({ account }) => account)).not.toContain(contradicted[0]?.account)
  })

  it('has another amount the second time', () => {
    const plan = planPayment(3, mix, createRandom(7))

    const other = withOtherAmount(plan)

    expect(other.customId).toBe(plan.customId)
    expect(other.body).toMatchObject({ ...plan.body, amount: other.amount })
    expect(other.amount).not.toBe(plan.amount)
  })
})
