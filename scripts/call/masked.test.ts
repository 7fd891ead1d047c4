import { expect, it } from 'vitest'
import { masked } from './masked.ts'

it('shows the last four digits of a card, and never its security code', () => {
  const shown = masked({ cardnumber: '4111111111111111', cvv: '123', amount: '10.0' })

  expect(shown).toEqual({ cardnumber: '************1111', amount: '10.0' })
})

it('shows the last four digits of a bank account', () => {
  const shown = masked({ bankaccountnumber: '15378535', routingnumber: '244183602' })

  expect(shown).toEqual({ bankaccountnumber: '****8535', routingnumber: '244183602' })
})
