import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { keyOfSeries, nextInSeries, nonceOf } from './seal-series.ts'
import { ringOf } from './testing.ts'

const BINDING = 'payment:p_1.1'

const freshKey = () => ringOf('k1').first.key

describe('a series of sealed texts', () => {
  it('is one for all that a process seals under one key', () => {
    const ringKey = freshKey()
    const first = nextInSeries(ringKey, BINDING)

    const next = nextInSeries(ringKey, 'credentials:p_1')

    expect(next.id).toEqual(first.id)
    expect(next.key).toBe(first.key)
  })

  it('is another one in another process, and under another key', () => {
    const ringKey = freshKey()
    const { id, key } = nextInSeries(ringKey, BINDING)

    for (const other of [Buffer.from(ringKey), freshKey()]) {
      const series = nextInSeries(other, BINDING)
      expect(series.id).not.toEqual(id)
      expect(series.key.equals(key)).toBe(false)
    }
  })

  it('never has a nonce twice, also where a text is sealed again for the same payment', () => {
    const ringKey = freshKey()

    const nonces = Array.from({ length: 20_000 }, () => nextInSeries(ringKey, BINDING).nonce.toString('hex'))

    expect(new Set(nonces).size).toBe(20_000)
    expect(nonces[0]).toMatch(/^[0-9a-f]{24}$/)
  })

  it('has other nonces than another series, for the same payment', () => {
    const ringKey = freshKey()

    const { nonce } = nextInSeries(ringKey, BINDING)

    expect(nextInSeries(Buffer.from(ringKey), BINDING).nonce).not.toEqual(nonce)
  })

  it('has other nonces for other payments, also in two copies of one process', () => {
    const copied = { secret: 'secret', texts: 7 }

    expect(nonceOf(copied, 'payment:p_2.1')).not.toEqual(nonceOf(copied, 'payment:p_1.1'))
  })

  it('ends after 2^20 texts', () => {
    const ringKey = freshKey()
    const first = nextInSeries(ringKey, BINDING)
    for (let texts = 2; texts < 2 ** 20; texts += 1) nextInSeries(ringKey, BINDING)

    const last = nextInSeries(ringKey, BINDING)
    const next = nextInSeries(ringKey, BINDING)

    expect(last.key).toBe(first.key)
    expect(next.id).not.toEqual(first.id)
    expect(next.key.equals(first.key)).toBe(false)
  }, 60_000)
})

describe('the key of a series', () => {
  it('is found again by its id, in a process that has the ring', () => {
    const ringKey = freshKey()
    const { id, key } = nextInSeries(ringKey, BINDING)

    expect(keyOfSeries(Buffer.from(ringKey), Buffer.from(id)).equals(key)).toBe(true)
    expect(keyOfSeries(freshKey(), id).equals(key)).toBe(false)
  })

  it('is another one for another id', () => {
    const ringKey = freshKey()

    const [one, other] = [randomBytes(18), randomBytes(18)].map((id) => keyOfSeries(ringKey, id))

    expect(other && one?.equals(other)).toBe(false)
  })

  it('is kept, of the 256 series that were used last', () => {
    const ringKey = freshKey()
    const ids = Array.from({ length: 256 }, () => randomBytes(18))
    const keys = ids.map((id) => keyOfSeries(ringKey, id))
    const again = (nth: number) => keyOfSeries(ringKey, Buffer.from(ids[nth] ?? ''))

    expect(again(0)).toBe(keys[0])
    keyOfSeries(ringKey, randomBytes(18))

    expect(again(0)).toBe(keys[0])
    expect(again(2)).toBe(keys[2])
    expect(again(1)).not.toBe(keys[1])
    expect(again(1).equals(keys[1] ?? again(0))).toBe(true)
  })
})
