import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonRows, NotAList } from './json-rows.ts'
import { ForeignReport } from './report-row.ts'

async function* inPieces(text: string, length: number) {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

async function rowsOf(text: string, length = 7): Promise<unknown[]> {
  const rows: unknown[] = []
  for await (const texts of jsonRows(inPieces(text, length))) rows.push(...texts.map((one) => JSON.parse(one)))
  return rows
}

describe('a list of rows', () => {
  it('is read as it is written, whatever is in it and wherever it is cut', async () => {
    const objects = fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), { maxLength: 6 })

    await fc.assert(
      fc.asyncProperty(
        objects,
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(0, 2),
        async (rows, length, indent) => {
          const written = JSON.stringify(rows, undefined, indent)

          expect(await rowsOf(written, length)).toEqual(JSON.parse(written))
        },
      ),
    )
  })

  it('may be empty, and may have blanks around it', async () => {
    expect(await rowsOf(' \n[ ] \r\n')).toEqual([])
    expect(await rowsOf('\uFEFF[{"a":"\\"]"} , {}]')).toEqual([{ a: '"]' }, {}])
  })

  it('is never taken for whole when it was cut off anywhere', async () => {
    const whole = '[{"a":"}","b":[1]},{"c":null}]'

    for (let length = 1; length < whole.length; length += 1)
      await expect(rowsOf(whole.slice(0, length)), whole.slice(0, length)).rejects.toThrow('the report was cut off')
  })

  it.each(['[{}] {}', '[{},]', '[,{}]', '[{}{}]', '[1]', '["a"]', '[[{}]]', '[{}]]', '[nil'])(
    'is not %s',
    async (text) => {
      await expect(rowsOf(text)).rejects.toThrow(ForeignReport)
    },
  )

  it.each(['{"error":true}', '<html>', '', '   ', 'x'.repeat(100_000)])(
    'is not what begins otherwise: %.20s',
    async (text) => {
      await expect(rowsOf(text)).rejects.toThrow(NotAList)
    },
  )

  it('has no row without an end', async () => {
    await expect(rowsOf(`[{"a":"${'x'.repeat(3_000_000)}`, 65_536)).rejects.toThrow('too long')
  })

  it('is in UTF-8', async () => {
    const chunks = (async function* () {
      yield new Uint8Array([0x5b, 0xff])
    })()

    await expect(jsonRows(chunks).next()).rejects.toThrow('UTF-8')
  })
})
