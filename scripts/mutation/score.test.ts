import { expect, it } from 'vitest'
import { scoresOf, tableOf } from './score.ts'

const report = {
  files: {
    'b.ts': { mutants: [{ status: 'Killed' }, { status: 'Survived' }, { status: 'CompileError' }] },
    'a.ts': { mutants: [{ status: 'Timeout' }, { status: 'Killed' }, { status: 'NoCoverage' }, { status: 'Ignored' }] },
    'index.ts': { mutants: [] },
  },
}

it('the score counts what no test ran as not noticed, and what is no program not at all', () => {
  expect(tableOf(scoresOf(report)).split('\n').slice(2)).toEqual([
    '| a.ts | 3 | 2 | 1 | 66.7 |',
    '| b.ts | 2 | 1 | 1 | 50.0 |',
    '| **all** | 5 | 3 | 2 | 60.0 |',
  ])
})
