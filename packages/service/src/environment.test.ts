import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigurationError, flag, list, readableFile, readEnvironment, wholeNumber } from './environment.ts'

const folder = mkdtempSync(join(tmpdir(), 'pay-environment-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(text: string): string {
  const path = join(folder, `${Math.random()}`)
  writeFileSync(path, text)
  return path
}

const read = (shape: z.ZodRawShape, env: Record<string, string>) => readEnvironment(z.object(shape), env)

function problemsOf(shape: z.ZodRawShape, env: Record<string, string>): readonly string[] {
  try {
    read(shape, env)
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
}

describe('an environment', () => {
  it('gives what the schema asks for, and nothing else that is set', () => {
    expect(read({ NAME: z.string() }, { NAME: 'a', OTHER: 'b' })).toEqual({ NAME: 'a' })
  })

  it('that lacks a variable is refused by its name', () => {
    expect(problemsOf({ NAME: z.string() }, {})).toEqual(['NAME: is required'])
    expect(problemsOf({ NAME: z.string() }, { NAME: '' })).toEqual(['NAME: is required'])
  })

  it('uses the default of a variable that is missing or empty', () => {
    const shape = { NAME: z.string().default('fallback') }

    expect(read(shape, {})).toEqual({ NAME: 'fallback' })
    expect(read(shape, { NAME: '' })).toEqual({ NAME: 'fallback' })
  })

  it('with several problems is refused with all of them at once, in one message', () => {
    const shape = { A: z.string(), B: flag, C: wholeNumber(1), D: z.string() }
    const env = { B: 'yes', C: 'many', D: 'fine' }

    expect(problemsOf(shape, env)).toEqual([
      'A: is required',
      'B: must be one of true, false',
      `C: must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
    ])
    expect(() => read(shape, env)).toThrow(/^the environment cannot be used:\n {2}- A: .*\n {2}- B: .*\n {2}- C: /)
  })

  it('says nothing about prototypes', () => {
    expect(problemsOf({ constructor: z.string() }, Object.create(null))).toEqual(['constructor: is required'])
  })
})

describe('rules about variables taken together', () => {
  const shape = { PORT: wholeNumber(80), LOW: wholeNumber(1), HIGH: wholeNumber(9), NAME: z.string() }
  const rules = ({ LOW, HIGH, NAME }: { LOW: number; HIGH: number; NAME: string }) => [
    ...(LOW > HIGH ? ['LOW must not exceed HIGH'] : []),
    ...(NAME === 'nobody' ? ['NAME must be somebody'] : []),
  ]
  const good = { NAME: 'a' }

  function complaints(env: Record<string, string>): readonly string[] {
    try {
      readEnvironment(z.object(shape), { ...good, ...env }, rules)
      return []
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems
      throw error
    }
  }

  it('are content with an environment that keeps them', () => {
    expect(readEnvironment(z.object(shape), good, rules)).toEqual({ PORT: 80, LOW: 1, HIGH: 9, NAME: 'a' })
  })

  it('that are broken are reported', () => {
    expect(complaints({ LOW: '10', NAME: 'nobody' })).toEqual(['LOW must not exceed HIGH', 'NAME must be somebody'])
  })

  it('that are broken are reported together with variables that are wrong by themselves', () => {
    expect(complaints({ PORT: 'x', LOW: '10', NAME: 'nobody' })).toEqual([
      expect.stringMatching(/^PORT: must be a whole number/),
      'LOW must not exceed HIGH',
      'NAME must be somebody',
    ])
  })

  it('say nothing about a variable that is wrong by itself: its default is not what the operator meant', () => {
    expect(complaints({ HIGH: 'x', LOW: '10' })).toEqual([expect.stringMatching(/^HIGH: /)])
  })

  it('wait while a variable without a default is missing', () => {
    expect(complaints({ NAME: '', LOW: '10' })).toEqual(['NAME: is required'])
  })
})

describe('a variable from a file', () => {
  const shape = { NAME: z.string() }

  it('is what the file holds, without the line break at its end', () => {
    expect(read(shape, { NAME_FILE: fileOf('value\n') })).toEqual({ NAME: 'value' })
  })

  it('is not used where the variable itself is set', () => {
    expect(read(shape, { NAME: 'value', NAME_FILE: fileOf('other') })).toEqual({ NAME: 'value' })
    expect(read(shape, { NAME: '', NAME_FILE: fileOf('other') })).toEqual({ NAME: 'other' })
  })

  it('counts as not set when the file is empty', () => {
    expect(problemsOf(shape, { NAME_FILE: fileOf('\n') })).toEqual(['NAME: is required'])
    expect(read({ NAME: z.string().default('fallback') }, { NAME_FILE: fileOf('') })).toEqual({ NAME: 'fallback' })
  })

  it('that cannot be read is named, without its path', () => {
    const problems = problemsOf(shape, { NAME_FILE: join(folder, 'missing') })

    expect(problems).toContain('NAME_FILE: the file cannot be read')
    expect(problems.join()).not.toContain('missing')
  })

  it('cannot be a folder', () => {
    expect(problemsOf(shape, { NAME_FILE: folder })).toContain('NAME_FILE: the file cannot be read')
  })
})

describe('a value', () => {
  const SECRET = 'hunter2-4111111111111111'
  const shapes: Record<string, z.ZodType> = {
    'a whole number': wholeNumber(1),
    'a flag': flag,
    'one of some words': z.enum(['strict', 'relaxed']),
    'a readable file': readableFile,
    'a text with a form': z.string().regex(/^x$/),
    'a text with a limit': z.string().max(1),
    'a URL': z.url(),
    'a text that something is made of': z.string().transform((text, context) => {
      context.addIssue({ code: 'custom', message: `must be ${text.length === 0 ? 'longer' : 'shorter'}` })
      return z.NEVER
    }),
  }

  it.each(Object.entries(shapes))('that should have been %s is never repeated', (_, shape) => {
    const [problem, ...others] = problemsOf({ NAME: shape }, { NAME: SECRET })

    expect(problem).toMatch(/^NAME: /)
    expect(problem).not.toContain('hunter2')
    expect(others).toEqual([])
  })
})

describe('a whole number', () => {
  const shape = { N: wholeNumber(5, { min: 1, max: 10 }) }

  it.each([
    ['1', 1],
    ['10', 10],
    ['007', 7],
  ])('is %s', (text, value) => {
    expect(read(shape, { N: text })).toEqual({ N: value })
  })

  it.each(['0', '11', '-1', '+1', '1.0', '1e1', '0x5', ' 5', '5 ', '٥', 'five', 'NaN', 'Infinity'])(
    'is not "%s"',
    (text) => {
      expect(problemsOf(shape, { N: text })).toEqual(['N: must be a whole number from 1 to 10'])
    },
  )

  it('has a default', () => {
    expect(read(shape, {})).toEqual({ N: 5 })
  })
})

describe('a flag', () => {
  it('is true or false, and false by default', () => {
    const values = [{ F: 'true' }, { F: 'false' }, {}].map((env: Record<string, string>) => read({ F: flag }, env).F)

    expect(values).toEqual([true, false, false])
  })

  it.each(['yes', 'TRUE', '1', 'on', ' true'])('is not "%s", so that a misspelt yes does not mean no', (text) => {
    expect(problemsOf({ F: flag }, { F: text })).toEqual(['F: must be one of true, false'])
  })
})

describe('a list', () => {
  it.each([
    ['a,b', ['a', 'b']],
    [' a , b ,', ['a', 'b']],
    [',,', []],
    ['a b', ['a b']],
  ])('is "%s"', (text, names) => {
    expect(read({ L: list() }, { L: text })).toEqual({ L: names })
  })

  it('is empty by default, or what the default says', () => {
    expect(read({ L: list() }, {})).toEqual({ L: [] })
    expect(read({ L: list('USD') }, {})).toEqual({ L: ['USD'] })
  })
})
