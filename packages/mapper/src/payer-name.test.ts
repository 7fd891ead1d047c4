import { describe, expect, it } from 'vitest'
import { toParameters } from './parameters.ts'
import { payerName } from './payer-name.ts'

describe('the name of the payer', () => {
  it.each([
    ['Ann Example', 'Ann', 'Example'],
    ['Ann B. Example', 'Ann B.', 'Example'],
    ['  Ann   Example ', 'Ann', 'Example'],
    ['Example', 'Example', 'Example'],
  ])('%j is first name %j and last name %j', (name, first, last) => {
    expect(payerName(toParameters({ AVSName: name }))).toEqual({ first_name: first, last_name: last })
  })

  it.each(['AVSName', 'avsname', 'avs_name', 'AVS-NAME'])('is read from %s', (key) => {
    expect(payerName(toParameters({ [key]: 'Ann Example' }))).toHaveProperty('last_name', 'Example')
  })

  it('is unknown when it is blank or missing', () => {
    expect(payerName(toParameters({ AVSName: '  ' }))).toEqual({})
    expect(payerName([])).toEqual({})
  })
})
