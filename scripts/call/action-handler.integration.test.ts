import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toPayReply, type Verdict } from '@pay/mapper'
import { describe, expect, it } from 'vitest'
import { answer, askForPayment, speak } from '../../examples/action-handler.ts'
import { toPayAction } from './pay-action.ts'

const ID = '000000000012'

const heardOf = (verdict: Verdict, method: 'charge' | 'tokenize' = 'charge') =>
  speak(toPayAction({ status: 200, body: toPayReply(method, verdict), text: '' } as never))

/** Each of our answers, as the caller hears it. */
describe('the sample action handler', () => {
  it('reads the confirmation number digit by digit', () => {
    const heard = heardOf({ kind: 'approved', transactionId: ID })

    expect(heard).toContain('approved')
    expect(heard).toContain('0 0 0 0 0 0 0 0 0 0 1 2')
  })

  it('says that a card is stored', () => {
    expect(heardOf({ kind: 'approved', transactionId: ID }, 'tokenize')).toContain('stored')
  })

  it.each([
    { kind: 'declined', code: '30002', message: 'DECLINED' },
    { kind: 'not_processed' },
    { kind: 'invalid_request', field: 'amount' },
  ] as const)('says that nothing was charged, and asks once more ($kind)', (verdict) => {
    const heard = heardOf(verdict)

    expect(heard).toContain('<Redirect>/call</Redirect>')
    expect(heard).not.toContain('approved')
  })

  it('neither says that an unconfirmed payment failed nor offers another try', () => {
    const heard = heardOf({ kind: 'unconfirmed' })

    expect(heard).toContain('do not pay again')
    expect(heard).not.toContain('Redirect')
    expect(heard).not.toContain('Nothing was charged')
  })

  it.each([{ kind: 'transaction_id_reused' }, { kind: 'unauthorized' }] as const)(
    'offers no other try where it would end the same way ($kind)',
    (verdict) => {
      expect(heardOf(verdict)).not.toContain('Redirect')
    },
  )

  it('knows our code beside our message, too', () => {
    expect(speak({ Result: 'payment-connector-error', ConnectorError: 'unconfirmed: We could not confirm' })).toContain(
      'do not pay again',
    )
  })

  it('says good bye when the caller stopped before anything was sent', () => {
    expect(speak({ Result: 'caller-interrupted-with-star' })).toContain('No payment was made')
  })

  it('serves Twilio over HTTP', async () => {
    const server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const form = new URLSearchParams({ Result: 'success', PaymentConfirmationCode: ID })
    const asked = await fetch(`${url}/call`, { method: 'POST', body: '' })
    const paid = await fetch(`${url}/paid`, { method: 'POST', body: form })

    expect(await asked.text()).toBe(askForPayment('12.50'))
    expect(await paid.text()).toContain('Your payment is approved')
    expect(paid.headers.get('content-type')).toBe('text/xml')
    server.closeAllConnections()
    server.close()
  })
})
