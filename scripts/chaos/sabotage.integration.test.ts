import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository } from '../stack/service.ts'
import { type Sabotage, sabotages, withSource } from './sabotage.ts'

const names = Object.keys(sabotages) as Sabotage[]

describe('a copy of the source without one safeguard', () => {
  it.each(names)('%s: differs from this source in one place, and is gone afterwards', async (name) => {
    const { file, from } = sabotages[name]
    const original = readFileSync(join(repository, file), 'utf8')

    const seen = await withSource(name, async (source = '') => ({
      source,
      text: readFileSync(join(source, file), 'utf8'),
      other: readFileSync(join(source, 'node_modules/@pay/ledger/src/index.ts'), 'utf8'),
    }))

    expect(original.split(from)).toHaveLength(2)
    expect(seen.text).not.toContain(from)
    expect(seen.text.length).not.toBe(original.length)
    expect(seen.other).toBe(readFileSync(join(repository, 'packages/ledger/src/index.ts'), 'utf8'))
    expect(readFileSync(join(repository, file), 'utf8')).toBe(original)
    expect(existsSync(seen.source)).toBe(false)
  })

  it('without a sabotage is no copy', async () => {
    expect(await withSource(undefined, async (source) => source)).toBeUndefined()
  })
})
