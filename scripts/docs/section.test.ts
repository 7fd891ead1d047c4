import { expect, it } from 'vitest'
import { withSection } from './section.ts'

const PAGE = '# Benchmarks\n\n<!-- bench soak -->\nold\n<!-- end of bench soak -->\n\nWhat was learned.\n'

it('a result takes the place of what the same run found before', () => {
  const page = withSection(PAGE, 'bench soak', 'new')

  expect(page).toBe('# Benchmarks\n\n<!-- bench soak -->\nnew\n<!-- end of bench soak -->\n\nWhat was learned.\n')
})

it('a run that has no section yet gets one at the end', () => {
  const page = withSection(PAGE, 'bench overload', 'first')

  expect(page).toBe(`${PAGE}\n<!-- bench overload -->\nfirst\n<!-- end of bench overload -->\n`)
})
