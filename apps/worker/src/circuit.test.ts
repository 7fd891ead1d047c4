import { setTimeout as sleep } from 'node:timers/promises'
import { Secret, type Transaction } from '@pay/mapper'
import { systemClock } from '@pay/service'
import { afterEach, describe, expect, it } from 'vitest'
import { type Circuit, createCircuit } from './circuit.ts'
import type { Exchanged } from './classify.ts'
import { createPayconex } from './payconex.ts'

const SILENCE_MS = 60

const silences = {
  'never connected': { kind: 'unsent', reason: 'ECONNREFUSED', retry: true },
  'lost on the way': { kind: 'lost', reason: 'timeout' },
  'answered by a proxy': { kind: 'answered', status: 503, text: '{"error":true,"error_code":"503"}' },
  'answered with a web page': { kind: 'answered', status: 200, text: '<html>maintenance</html>' },
} as const satisfies Record<string, Exchanged>

const answered = (members: Record<string, unknown>): Exchanged => ({
  kind: 'answered',
  status: 200,
  text: JSON.stringify(members),
})
const reserved = answered({ error: false, transaction_id: '000000012345' })
const noes = {
  'a decline': answered({ error: true, transaction_approved: false, error_code: '30002', transaction_id: '1' }),
  'a validation error': answered({ error: true, error_code: '20017', error_message: 'Invalid card' }),
  'wrong credentials': answered({ error: true, error_code: '20002', error_message: 'Invalid api_accesskey' }),
}

const credentialsOf = (accountId: string) => ({ accountId, accessKey: new Secret('key') })
const busy = credentialsOf('120615000001')
const other = credentialsOf('120615000002')
const saleOf = ({ accountId, accessKey }: typeof busy): Transaction => ({
  type: 'SALE',
  amount: '10.00',
  fields: { account_id: accountId, api_accesskey: accessKey, card_number: new Secret('4111111111111111') },
})
const asked = { type: 'SALE', reservedId: '000000012345', pastTimeout: false } as const

type Form = Record<string, string>

const opened: Circuit[] = []
afterEach(() => {
  for (const circuit of opened.splice(0)) circuit.stop()
})

/** A PayConex that answers as `answer` says at the moment, and what it was asked. */
function start(answer: (form: Form) => Exchanged) {
  const requests: Form[] = []
  const changes: boolean[] = []
  const world = { answer }
  const circuit = createCircuit({
    exchange: async ({ form }) => {
      const fields = Object.fromEntries(new URLSearchParams(form))
      requests.push(fields)
      return world.answer(fields)
    },
    connect: (exchange) => createPayconex({ url: '', exchange, timeoutMs: 1000, questionTimeoutMs: 1000 }),
    times: { circuitSilenceMs: SILENCE_MS, circuitProbeMs: [10, 20] },
    clock: systemClock,
    onChange: (isOpen) => changes.push(isOpen),
  })
  opened.push(circuit)
  const { payconex, isOpen } = circuit
  const ask = async (times: number, credentials = busy) => {
    for (let n = 0; n < times; n += 1) await payconex.reserve(credentials)
  }
  const open = async () => {
    world.answer = () => silences['never connected']
    await ask(5)
    await expect.poll(isOpen, { interval: 5 }).toBe(true)
  }
  return { circuit, payconex, isOpen, changes, requests, world, ask, open }
}

describe('a circuit is closed', () => {
  it.each(Object.entries(noes))('although PayConex answers everything with %s', async (_name, no) => {
    const { ask, payconex, isOpen, changes } = start(() => no)

    await ask(20)
    for (let n = 0; n < 20; n += 1) await payconex.submit(saleOf(busy), { reservedId: '000000012345' })
    await sleep(SILENCE_MS * 1.5)
    await ask(20)

    expect(isOpen()).toBe(false)
    expect(changes).toEqual([])
  })

  it('while half of the requests are answered, for half a PayConex is better than none', async () => {
    let nth = 0
    const { ask, isOpen } = start(() => (nth++ % 2 === 0 ? reserved : silences['lost on the way']))

    await ask(40)
    await sleep(SILENCE_MS * 1.5)
    await ask(40)

    expect(isOpen()).toBe(false)
  })

  it('while only one account gets no answer: PayConex is asked with the credentials it answered last', async () => {
    const { ask, isOpen, requests } = start(({ account_id }) =>
      account_id === busy.accountId ? silences['lost on the way'] : reserved,
    )
    await ask(1, other)

    await ask(30)
    await sleep(SILENCE_MS * 1.5)
    await ask(30)

    expect(isOpen()).toBe(false)
    expect(requests.filter(({ account_id }) => account_id === other.accountId).length).toBeGreaterThan(1)
  })

  it('when the silence was short, and payments went on meanwhile', async () => {
    const { ask, changes, world, requests } = start(() => silences['never connected'])
    await ask(8)
    const payments = requests.length

    world.answer = () => reserved
    await sleep(SILENCE_MS * 1.5)

    expect(payments).toBeGreaterThanOrEqual(8)
    expect(changes).toEqual([])
  })

  it('after a look-up that found nothing, for that is an answer', async () => {
    const { payconex, isOpen } = start(() => answered({ found: false }))

    for (let n = 0; n < 20; n += 1) await payconex.lookUp(busy, asked)
    await sleep(SILENCE_MS * 1.5)

    expect(isOpen()).toBe(false)
  })
})

describe('whether PayConex has answered a moment ago', () => {
  it('is known by its last word, to whomever', async () => {
    const { circuit, ask, world } = start(() => reserved)
    expect(circuit.hasAnsweredWithin(1000)).toBe(false)

    await ask(1)
    expect(circuit.hasAnsweredWithin(1000)).toBe(true)
    world.answer = () => silences['lost on the way']
    await ask(1)
    expect(circuit.hasAnsweredWithin(1000)).toBe(false)
    world.answer = () => noes['a decline']
    await ask(1, other)
    expect(circuit.hasAnsweredWithin(1000)).toBe(true)

    await sleep(20)
    expect(circuit.hasAnsweredWithin(10)).toBe(false)
  })
})

describe('a circuit opens', () => {
  it.each(Object.entries(silences))('when for a while everything was %s', async (_name, silence) => {
    const { ask, isOpen, changes } = start(() => silence)

    await ask(5)

    await expect.poll(isOpen, { interval: 5 }).toBe(true)
    expect(changes).toEqual([true])
  })

  it('also without reservations, when submissions get no answer', async () => {
    const { payconex, isOpen } = start(() => silences['lost on the way'])

    for (let n = 0; n < 5; n += 1) await payconex.submit(saleOf(busy))

    await expect.poll(isOpen, { interval: 5 }).toBe(true)
  })

  it('by look-ups alone, too', async () => {
    const { payconex, isOpen } = start(() => silences['lost on the way'])

    for (let n = 0; n < 5; n += 1) await payconex.lookUp(busy, asked)

    await expect.poll(isOpen, { interval: 5 }).toBe(true)
  })
})

describe('while a circuit is open', () => {
  it('nothing is reserved, sent or reversed, and that is said at once', async () => {
    const { open, payconex, requests } = start(() => reserved)
    await open()
    const before = requests.length

    const answers = await Promise.all([
      payconex.reserve(other),
      payconex.submit(saleOf(other), { reservedId: '000000012345' }),
      payconex.reverse(other, { chargeId: '000000012345', reservedId: '000000012346', customId: 'call-1' }),
    ])

    expect(answers).toEqual(Array(3).fill({ kind: 'unsent', reason: 'circuit open', retry: false }))
    expect(requests.slice(before).filter(({ account_id }) => account_id === other.accountId)).toEqual([])
  })

  it('it asks for nothing but a transaction id, with what was answered last', async () => {
    const { ask, open, requests } = start(() => reserved)
    await ask(1, other)
    await open()
    const before = requests.length

    await sleep(100)

    const probes = requests.slice(before)
    expect(probes.length).toBeGreaterThan(1)
    expect(probes.length).toBeLessThan(10)
    const form = { account_id: other.accountId, api_accesskey: 'key', response_format: 'JSON' }
    for (const probe of probes) expect(probe).toEqual({ ...form, action: 'GET_TRANSACTION_ID' })
  })

  it('look-ups go on', async () => {
    const { open, payconex, requests } = start(() => reserved)
    await open()

    await payconex.lookUp(busy, asked)

    expect(requests).toContainEqual(expect.objectContaining({ action: 'GET_TRANSACTION_STATUS' }))
  })

  it('the first answer to its own question closes it', async () => {
    const { open, world, isOpen, payconex, changes } = start(() => reserved)
    await open()

    world.answer = () => reserved
    await expect.poll(isOpen, { interval: 5 }).toBe(false)

    expect(changes).toEqual([true, false])
    world.answer = () => answered({ transaction_id: '000000012346', error: false })
    expect(await payconex.reserve(busy)).toEqual({ kind: 'reserved', transactionId: '000000012346' })
  })

  it('the answer to a look-up closes it at once', async () => {
    const { open, world, isOpen, payconex } = start(() => reserved)
    await open()
    const isStatus = ({ action }: Form) => action === 'GET_TRANSACTION_STATUS'
    world.answer = (form) => (isStatus(form) ? answered({ found: false }) : silences['never connected'])

    await Promise.all([payconex.lookUp(busy, asked), payconex.lookUp(busy, asked), payconex.lookUp(other, asked)])

    expect(isOpen()).toBe(false)
  })

  it('a wrong access key is a sign of life, too', async () => {
    const { open, world, isOpen } = start(() => reserved)
    await open()

    world.answer = () => noes['wrong credentials']

    await expect.poll(isOpen, { interval: 5 }).toBe(false)
  })

  it('an end of the process ends its questions', async () => {
    const { open, circuit, requests } = start(() => reserved)
    await open()

    circuit.stop()
    await sleep(20)
    const before = requests.length
    await sleep(60)

    expect(requests.length).toBe(before)
  })
})

describe('a circuit that closed', () => {
  it('is not opened by requests that began before and end in silence now', async () => {
    const { open, world, isOpen, payconex, ask } = start(() => reserved)
    await open()
    world.answer = () => reserved
    await expect.poll(isOpen, { interval: 5 }).toBe(false)

    world.answer = ({ action }) => (action === 'GET_TRANSACTION_ID' ? reserved : silences['lost on the way'])
    await Promise.all(Array.from({ length: 50 }, () => payconex.lookUp(busy, asked)))
    await sleep(SILENCE_MS * 1.5)
    await ask(1)

    expect(isOpen()).toBe(false)
  })

  it('opens again when PayConex falls silent again', async () => {
    const { open, world, isOpen, changes } = start(() => reserved)
    await open()
    world.answer = () => reserved
    await expect.poll(isOpen, { interval: 5 }).toBe(false)

    await open()

    expect(changes).toEqual([true, false, true])
  })
})
