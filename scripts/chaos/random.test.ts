import { describe, expect, it } from 'vitest'
import { createRandom } from './random.ts'

const draw = (random: { next: () => number }) => Array.from({ length: 20 }, random.next)

describe('chance from a seed', () => {
  it('is the same again with the same seed, and another with another', () => {
    const numbers = draw(createRandom(7))

    expect(draw(createRandom(7))).toEqual(numbers)
    expect(draw(createRandom(8))).not.toEqual(numbers)
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
  })

  it('is not disturbed in one part by what another part draws', () => {
    const quiet = createRandom(7)
    const busy = createRandom(7)
    draw(busy.fork('callers'))

    expect(draw(busy.fork('nemesis'))).toEqual(draw(quiet.fork('nemesis')))
    expect(draw(quiet.fork('nemesis'))).not.toEqual(draw(quiet.fork('callers')))
  })

  it('picks by weight', () => {
    const random = createRandom(7)
    const items = [
      { name: 'often', weight: 9 },
      { name: 'seldom', weight: 1 },
      { name: 'never', weight: 0 },
    ]

    const picked = Array.from({ length: 1000 }, () => random.weighted(items).name)

    expect(picked.filter((name) => name === 'often').length).toBeGreaterThan(850)
    expect(picked.filter((name) => name === 'seldom').length).toBeGreaterThan(50)
    expect(picked).not.toContain('never')
  })

  it('gives whole numbers with both ends', () => {
    const random = createRandom(7)

    const numbers = new Set(Array.from({ length: 200 }, () => random.whole(1, 3)))

    expect([...numbers].sort()).toEqual([1, 2, 3])
  })
})
