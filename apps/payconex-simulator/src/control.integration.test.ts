import { describe, expect, test } from 'vitest'
import { bankSale, credentials, eventually, findSecrets, sale, secretCvv, store, withSimulator } from './testing.ts'

describe('the ledger', () => {
  test('shows each transaction with what a witness needs', () =>
    withSimulator(async ({ qsapi, ledger }) => {
      const { transaction_id } = await qsapi({ ...sale, custom_id: 'CAf1' })

      expect((await ledger()).transactions).toEqual([
        {
          transaction_id,
          account_id: credentials.account_id,
          transaction_type: 'SALE',
          tender_type: 'CARD',
          custom_id: 'CAf1',
          transaction_amount: '10.00',
          approved: true,
          reserved: false,
          last4: '2224',
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
          answered: true,
        },
      ])
    }))

  test('shows where a transaction came from', () =>
    withSimulator(async ({ qsapi, ledger }) => {
      const { transaction_id: id = '' } = await qsapi(store)
      const charge = await qsapi({ ...sale, token_id: id, reissue: '1' })
      await qsapi({ transaction_type: 'REVERSAL', token_id: charge.transaction_id ?? '' })

      const [, reissued, reversed] = (await ledger()).transactions
      expect(reissued).toMatchObject({ token_id: id, reissue: true })
      expect(reissued).not.toHaveProperty('original_transaction_id')
      expect(reversed).toMatchObject({ original_transaction_id: charge.transaction_id, custom_id: null })
    }))

  test('names a custom_id that was charged twice, but not one that was charged and stored', () =>
    withSimulator(async ({ qsapi, ledger }) => {
      const twice = [await qsapi({ ...sale, custom_id: 'twice' }), await qsapi({ ...sale, custom_id: 'twice' })]
      await qsapi({ ...sale, custom_id: 'both' })
      await qsapi({ ...store, custom_id: 'both' })
      await qsapi({ ...sale, custom_id: 'both', account_id: '999999999999' })
      await qsapi({ ...sale, custom_id: 'both', transaction_amount: '1.01' })
      await qsapi(sale)
      await qsapi(sale)

      expect((await ledger()).duplicates).toEqual([
        {
          account_id: credentials.account_id,
          custom_id: 'twice',
          transaction_type: 'SALE',
          transaction_ids: twice.map((answer) => answer.transaction_id),
        },
      ])
      expect((await ledger('both')).duplicates).toEqual([])
      expect((await ledger('both')).transactions).toHaveLength(4)
    }))

  test('adds up what was charged and given back, to the cent', () =>
    withSimulator(async ({ qsapi, ledger }) => {
      const first = await qsapi({ ...sale, transaction_amount: '0.1' })
      await qsapi({ ...sale, transaction_amount: '0.2' })
      const held = await qsapi({ ...sale, transaction_type: 'AUTHORIZATION' })
      await qsapi({ transaction_type: 'REVERSAL', token_id: held.transaction_id ?? '' })
      await qsapi({ transaction_type: 'REVERSAL', token_id: first.transaction_id ?? '' })

      const { charged, returned } = await ledger()
      expect(charged).toEqual({ count: 2, total: '0.30' })
      expect(returned).toEqual({ count: 1, total: '0.10' })
    }))

  test('counts every request, also the refused and the lost', () =>
    withSimulator(async ({ qsapi, attempt, control, reserve, status, ledger }) => {
      await status(await reserve())
      await qsapi({ ...sale, card_number: '1' })
      await qsapi({ transaction_type: 'BUY' })
      await control('/faults', { fault: 'reset_before_commit' })
      await attempt(sale)

      expect((await ledger()).requests).toEqual({
        ...{ sale: 2, authorization: 0, store: 0, credit: 0, capture: 0, refund: 0, reversal: 0 },
        ...{ reserve: 1, status: 1, other: 1 },
      })
    }))
})

describe('the requests', () => {
  test('show which fields came, and the values of harmless ones', () =>
    withSimulator(async ({ qsapi, control }) => {
      await qsapi({ ...sale, custom_id: 'CAf1', zip: '10001' })
      await qsapi(store)

      const { requests } = await control('/requests?custom_id=CAf1')
      expect(requests).toMatchObject([
        {
          api: 'qsapi',
          kind: 'sale',
          fault: null,
          fields: expect.arrayContaining(['api_accesskey', 'card_number', 'card_verification', 'zip']),
          values: { transaction_amount: '10.00', zip: '10001', first_name: 'Ann', account_id: credentials.account_id },
        },
      ])
    }))

  test('name the fault that hit them', () =>
    withSimulator(async ({ attempt, control }) => {
      await attempt({ ...sale, transaction_amount: '1.06' })

      expect((await control('/requests')).requests).toMatchObject([{ fault: '503' }])
    }))
})

test('no card number, CVV, bank account or key is to be found anywhere', () =>
  withSimulator(async ({ url, post, qsapi, control, ledger, page }) => {
    await qsapi({ ...sale, card_verification: secretCvv })
    await qsapi(bankSale)
    await qsapi({ ...sale, card_tracks: '%B4000100011112224^LONGSEN/L. ^39121200000000000000' })
    await post('/api/qsapi/3.8', {}, { body: new URLSearchParams({ [JSON.stringify(sale)]: '' }) })
    await fetch(`${url}/api/qsapi/3.8`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: JSON.stringify({ ...sale, more: '=x' }),
    })

    const shown = JSON.stringify([await ledger(), await control('/requests'), await control('/faults'), await page()])
    expect(findSecrets(shown)).toEqual([])
    expect((await control('/requests')).requests).toHaveLength(5)
  }))

describe('faults and settings', () => {
  test('faults of one label are taken back, the others stay', () =>
    withSimulator(async ({ control }) => {
      await control('/faults', { fault: 'hang', label: 'storm' })
      await control('/faults', { fault: '503', custom_id: 'CAf1', label: 'CAf1' })
      await control('/faults', { fault: 'empty' })

      const { faults } = await control('/faults?label=storm', undefined, 'DELETE')

      expect(faults).toMatchObject([{ fault: '503', label: 'CAf1' }, { fault: 'empty' }])
    }))

  test('faults are listed with what is left of them, and cleared', () =>
    withSimulator(async ({ control, attempt }) => {
      await control('/faults', { fault: '503', next: 3, on: 'sale', custom_id: 'CAf1' })
      await control('/faults', { fault: 'delay', ms: 5, share: 0.5, seed: 9 })
      await attempt({ ...sale, custom_id: 'CAf1' })

      expect((await control('/faults')).faults).toEqual([
        { fault: '503', next: 3, on: 'sale', custom_id: 'CAf1', hits: 1, left: 2 },
        { fault: 'delay', ms: 5, share: 0.5, seed: 9, on: 'qsapi', hits: 0, left: null },
      ])
      expect((await control('/faults', undefined, 'DELETE')).faults).toEqual([])
    }))

  test('settings change one by one', () =>
    withSimulator(async ({ control }) => {
      await control('/settings', { usedId: 'accept' })

      expect(await control('/settings', { minDelayMs: 5 })).toEqual({
        status: 200,
        usedId: 'accept',
        usedIdInFlight: 'refuse',
        honourReservedIds: true,
        minDelayMs: 5,
        maxDelayMs: 0,
        statusLagMs: 0,
        reportFiltersByCustomId: true,
        clockShiftMs: 0,
      })
    }))

  test('the base time of processing is kept', () =>
    withSimulator(async ({ control, qsapi }) => {
      await control('/settings', { minDelayMs: 80, maxDelayMs: 90 })
      const start = performance.now()

      await qsapi(sale)

      expect(performance.now() - start).toBeGreaterThan(75)
    }))

  test.each([
    ['/faults', { fault: 'fire' }, /^fault: /],
    ['/faults', { fault: 'hang', next: 0 }, /^next: /],
    ['/faults', { fault: 'hang', share: 2 }, /^share: /],
    ['/faults', { fault: 'hang', on: 'moon' }, /^on: /],
    ['/faults', { fault: 'hang', nxt: 1 }, /nxt/],
    ['/faults', { fault: 'delay' }, /^ms: a delay needs its length/],
    ['/faults', [], /^body: /],
    ['/settings', { usedId: 'maybe' }, /^usedId: /],
    ['/settings', { minDelayMs: -1 }, /^minDelayMs: /],
    ['/settings', { speed: 1 }, /speed/],
  ])('%s refuses %o and names the field', (path, body, message) =>
    withSimulator(async ({ control }) => {
      expect(await control(path, body)).toEqual({ status: 400, error: expect.stringMatching(message) })
      expect((await control('/faults')).faults).toEqual([])
    }),
  )

  test('a body that is not JSON, and a path that is none, are told so', () =>
    withSimulator(async ({ url, control }) => {
      const broken = await fetch(`${url}/_sim/faults`, { method: 'POST', body: '{' })

      expect([broken.status, await broken.json()]).toEqual([400, { error: 'the body is not JSON' }])
      expect(await control('/nothing')).toMatchObject({ status: 404 })
    }))

  test('every answer says that it is not PayConex', () =>
    withSimulator(async ({ url, control }) => {
      expect((await fetch(`${url}/_sim/ledger`)).headers.get('x-simulator')).toContain('not part of PayConex')
      expect((await control('')).note).toContain('not part of PayConex')
    }))
})

describe('reset', () => {
  test('makes everything as at the start, except that ids go on', () =>
    withSimulator(async ({ control, qsapi, ledger, reserve }) => {
      const before = await reserve()
      await qsapi(sale)
      await control('/settings', { usedId: 'accept' })
      await control('/faults', { fault: 'hang', next: 9 })

      expect(await control('/reset', {})).toEqual({ status: 200, reset: true })

      expect(await ledger()).toMatchObject({
        transactions: [],
        charged: { count: 0, total: '0.00' },
        requests: { sale: 0 },
      })
      expect(await control('/settings')).toMatchObject({ usedId: 'refuse' })
      expect(await control('/faults')).toMatchObject({ faults: [], held: 0 })
      expect((await control('/requests')).requests).toEqual([])
      expect(Number(await reserve())).toBeGreaterThan(Number(before))
    }))

  test.each([{ fault: 'hang' }, { fault: 'lose_answer' }, { fault: 'delay', ms: 500 }])(
    'cuts off a request under %o, which then commits nothing',
    (fault) =>
      withSimulator(async ({ control, attempt, ledger }) => {
        await control('/faults', fault)
        const attempted = attempt(sale)
        await eventually(async () => (await control('/faults')).held === 1)

        await control('/reset', {})

        expect(await attempted).toBeUndefined()
        await new Promise((resolve) => setTimeout(resolve, 600))
        expect((await ledger()).transactions).toEqual([])
      }),
  )
})

describe('the page', () => {
  test('shows a double charge in red, and its counter', () =>
    withSimulator(async ({ qsapi, page }) => {
      await qsapi({ ...sale, custom_id: 'CAf1' })
      expect(await page()).toContain('<div class="card good"><b>0</b> duplicates</div>')

      await qsapi({ ...sale, custom_id: 'CAf1' })

      const html = await page()
      expect(html).toContain('<div class="card bad"><b>1</b> duplicates</div>')
      expect(html.match(/<tr class="bad">/g)).toHaveLength(3)
    }))

  test('shows a custom_id as text, whatever it is', () =>
    withSimulator(async ({ qsapi, page }) => {
      await qsapi({ ...sale, custom_id: '<script>alert("x")</script>' })

      expect(await page()).not.toContain('<script')
      expect(await page()).toContain('&#60;script&#62;')
    }))

  test('shows active faults and settings, and asks nothing of other hosts', () =>
    withSimulator(async ({ control, page }) => {
      await control('/faults', { fault: 'lose_answer', next: 4 })

      const html = await page()
      expect(html).toContain('<td>lose_answer</td>')
      expect(html).toContain('honourReservedIds')
      expect(html).not.toMatch(/(src|href)="(https?:)?\/\//)
    }))

  test('stops at 200 rows, the newest first', () =>
    withSimulator(async ({ qsapi, page }) => {
      for (let count = 1; count <= 205; count += 1) await qsapi({ ...store, custom_id: `call-${count}.` })

      const html = await page()
      expect(html.match(/<td>STORE<\/td>/g)).toHaveLength(200)
      expect(html.indexOf('call-205.')).toBeLessThan(html.indexOf('call-204.'))
      expect(html).not.toContain('call-5.')
    }))
})
