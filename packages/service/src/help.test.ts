import { expect, it } from 'vitest'
import { z } from 'zod'
import { helpText } from './help.ts'

it('the help names every variable, the required ones first', () => {
  const text = helpText(
    'Does something.',
    z.object({ PORT: z.string().default('1'), KEY: z.string(), CA: z.string().optional() }),
  )

  expect(text).toMatch(/^Does something\./)
  expect(text).toContain('required: KEY\n')
  expect(text).toContain('optional: PORT, CA\n')
})
