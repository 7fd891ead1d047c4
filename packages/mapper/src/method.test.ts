import { describe, expect, it } from 'vitest'
import { type Method, readMethod } from './method.ts'

describe('the method', () => {
  it.each<[unknown, Method | undefined, Method]>([
    ['charge', undefined, 'charge'],
    ['tokenize', undefined, 'tokenize'],
    ['CHARGE', undefined, 'charge'],
    ['Tokenize', undefined, 'tokenize'],
    [undefined, 'charge', 'charge'],
    [undefined, 'tokenize', 'tokenize'],
    ['charge', 'charge', 'charge'],
  ])('of body %j and path %j is %s', (word, path, method) => {
    expect(readMethod(word, path)).toEqual({ method, isClear: true })
  })

  it.each<[string, unknown, Method | undefined, Method]>([
    ['missing everywhere', undefined, undefined, 'charge'],
    ['unknown', 'credit-card', undefined, 'charge'],
    ['unknown although the path is clear', 'credit-card', 'tokenize', 'tokenize'],
    ['not text', 1, undefined, 'charge'],
    ['another in the body than in the path', 'tokenize', 'charge', 'tokenize'],
  ])('is not clear when it is %s', (_how, word, path, guess) => {
    expect(readMethod(word, path)).toEqual({ method: guess, isClear: false })
  })
})
