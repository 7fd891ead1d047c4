import { describe, expect, it } from 'vitest'
import { mutantsOf } from './lua-mutants.ts'

const mutants = (script: string) => mutantsOf(script).map(({ kind, to }) => `${kind}: ${to}`)

describe('the mutants of a script', () => {
  it('are without an early return, return always, and leave out each operand of its condition', () => {
    expect(mutants('if a or (b and c) then return end')).toEqual([
      'guard: if false then return end',
      'condition: if true then return end',
      'condition: if (a) then return end',
      'condition: if (b and c) then return end',
      'condition: if a or ((b)) then return end',
      'condition: if a or ((c)) then return end',
    ])
  })

  it('are without an assertion, without a write and without a step', () => {
    expect(mutants("assert(ok)\nredis.call('DEL', KEYS[1])\nclose()\nx = 1")).toEqual([
      'guard: ',
      'effect: ',
      'effect: ',
      'effect: ',
    ])
  })

  it('write all fields but one', () => {
    expect(mutants("redis.call('HSET', KEYS[1], 'a', a, 'b', b)")).toContain(
      "effect: redis.call('HSET', KEYS[1], 'b', b)",
    )
  })

  it('compare and count otherwise', () => {
    expect(mutants('local x = a <= b')).toEqual(['comparison: local x = (a) < (b)', 'comparison: local x = (a) > (b)'])
    expect(mutants('local x = a + b')).toEqual(['comparison: local x = (a) - (b)'])
  })

  it('say where they are, and are whole scripts', () => {
    expect(mutantsOf('local a = 1\nif a then return end')[0]).toEqual({
      kind: 'guard',
      line: 2,
      from: 'if a then return end',
      to: 'if false then return end',
      text: 'local a = 1\nif false then return end',
    })
  })
})
