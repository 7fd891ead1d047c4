import { describe, expect, it } from 'vitest'
import { createSliding, type Find } from './finder.ts'
import { createShapes } from './shapes.ts'

const VISA = '4111111111111111'

function foundIn(text: string, pieceBytes: number): number[] {
  const found: Find[] = []
  const sliding = createSliding(createShapes(), (one) => found.push(one))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) sliding.add(bytes.subarray(at, at + pieceBytes))
  sliding.end()
  return found.map(({ at }) => at)
}

describe('bytes that come in pieces', () => {
  it.each([1, 7, 1000, 4096, 100_000])('of %i are looked through as one', (pieceBytes) => {
    const text = `${VISA} ${'x'.repeat(4080)} ${VISA} ${'y'.repeat(5000)}${VISA}`

    expect(foundIn(text, pieceBytes)).toEqual([0, 4098, 9115])
  })

  it('are not taken for a card where a longer number is cut', () => {
    expect(foundIn(`${'1'.repeat(3000)}${VISA}${'1'.repeat(3000)}`, 512)).toEqual([])
  })
})
