import { describe, expect, test } from 'vitest'
import { type Client, credentials, eventually, type Json, sale, store, withSimulator } from './testing.ts'

const usedId = { error: true, error_code: 20090, error_message: 'TRANSACTION ID ALREADY USED' }

/** Sends one sale, and a second one with the same reserved id after the first was answered. */
async function repeated({ qsapi, reserve }: Client): Promise<{ id: string; answers: Json[] }> {
  const id = await reserve()
  const form = { ...sale, custom_id: 'CAf1', transaction_id: id }
  return { id, answers: [await qsapi(form), await qsapi(form)] }
}

/** Sends the second one while the first is being processed; a fault decides how that ends. */
async function overlapping({ qsapi, attempt, control, reserve }: Client, fault: object): Promise<Json> {
  const form = { ...sale, custom_id: 'CAf1', transaction_id: await reserve() }
  await control('/faults', fault)
  void attempt(form, 600)
  await eventually(async () => (await control('/faults')).held === 1)
  return qsapi(form)
}

const slow = { fault: 'delay', ms: 500 }

describe('a reserved id', () => {
  test('becomes the id of the transaction, also of a STORE and of a decline', () =>
    withSimulator(async ({ qsapi, reserve, ledger }) => {
      for (const form of [sale, store, { ...sale, transaction_amount: '1.01' }]) {
        const id = await reserve()
        expect(await qsapi({ ...form, transaction_id: id })).toMatchObject({ transaction_id: id })
      }
      expect((await ledger()).transactions.map((row) => row.reserved)).toEqual([true, true, true])
    }))

  test('of another account is refused', () =>
    withSimulator(async ({ qsapi, reserve }) => {
      const foreign = { ...sale, account_id: '999999999999', transaction_id: await reserve() }

      expect(await qsapi(foreign)).toMatchObject({ error_message: 'Invalid transaction_id' })
    }))

  test('survives a request that was refused, or lost before it was committed', () =>
    withSimulator(async ({ qsapi, attempt, reserve, control }) => {
      const form = { ...sale, transaction_id: await reserve() }
      await qsapi({ ...form, card_expiration: '1330' })
      await control('/faults', { fault: 'reset_before_commit' })
      await attempt(form)

      expect(await qsapi(form)).toMatchObject({ transaction_id: form.transaction_id, transaction_approved: true })
    }))

  test('that PayConex chose itself cannot be sent as a reserved one', () =>
    withSimulator(async ({ qsapi }) => {
      const { transaction_id = '' } = await qsapi(sale)

      expect(await qsapi({ ...sale, transaction_id })).toMatchObject({ error_message: 'Invalid transaction_id' })
    }))
})

describe('a used id', () => {
  test('is refused by default, without a transaction_id', () =>
    withSimulator(async (simulator) => {
      const { answers } = await repeated(simulator)

      expect(answers[1]).toEqual({ ...usedId, error_msg: usedId.error_message })
      expect((await simulator.ledger()).charged.count).toBe(1)
    }))

  test('is replayed if so set: the first answer, one charge', () =>
    withSimulator(async (simulator) => {
      await simulator.control('/settings', { usedId: 'replay' })

      const { answers } = await repeated(simulator)

      expect(answers[1]).toEqual(answers[0])
      expect((await simulator.ledger()).charged.count).toBe(1)
    }))

  test('is charged again if so set, which shows as a duplicate', () =>
    withSimulator(async (simulator) => {
      await simulator.control('/settings', { usedId: 'accept' })

      const { id } = await repeated(simulator)

      const { charged, duplicates } = await simulator.ledger()
      expect(charged).toEqual({ count: 2, total: '20.00' })
      expect(duplicates).toEqual([
        { account_id: credentials.account_id, custom_id: 'CAf1', transaction_type: 'SALE', transaction_ids: [id, id] },
      ])
    }))

  test('of a lost answer is refused, so that a repeat does not charge twice', () =>
    withSimulator(async ({ control, attempt, qsapi, reserve, ledger }) => {
      const form = { ...sale, custom_id: 'CAf1', transaction_id: await reserve() }
      await control('/faults', { fault: 'lose_answer' })
      await attempt(form, 300)

      expect(await qsapi(form)).toMatchObject(usedId)
      expect((await ledger()).charged.count).toBe(1)
    }))
})

describe('an id whose first request is still being processed', () => {
  test('is refused by default', () =>
    withSimulator(async (simulator) => {
      expect(await overlapping(simulator, slow)).toMatchObject(usedId)
      await eventually(async () => (await simulator.ledger()).charged.count === 1)
    }))

  test('is replayed if so set: the repeat waits for the first answer', () =>
    withSimulator(async (simulator) => {
      await simulator.control('/settings', { usedIdInFlight: 'replay' })

      expect(await overlapping(simulator, slow)).toMatchObject({ transaction_approved: true })
      expect((await simulator.ledger()).charged.count).toBe(1)
    }))

  test('is charged twice if so set', () =>
    withSimulator(async (simulator) => {
      await simulator.control('/settings', { usedIdInFlight: 'accept' })

      await overlapping(simulator, slow)

      await eventually(async () => (await simulator.ledger()).charged.count === 2)
      expect((await simulator.ledger()).duplicates).toHaveLength(1)
    }))

  test('is taken over by a waiting repeat when the first request hangs and its caller gives up', () =>
    withSimulator(async (simulator) => {
      await simulator.control('/settings', { usedIdInFlight: 'replay' })

      expect(await overlapping(simulator, { fault: 'hang' })).toMatchObject({ transaction_approved: true })
      expect((await simulator.ledger()).charged.count).toBe(1)
    }))
})

test('a PayConex that ignores reserved ids answers under its own, and charges every repeat', () =>
  withSimulator(async (simulator) => {
    await simulator.control('/settings', { honourReservedIds: false })

    const { id, answers } = await repeated(simulator)

    expect(answers.map((answer) => answer.transaction_id)).not.toContain(id)
    expect(await simulator.status(id)).toMatchObject({ found: false })
    expect((await simulator.ledger()).charged.count).toBe(2)
  }))
