import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePort } from '../process/free-port.ts'
import { choosePort } from './choose-port.ts'

const purpose = 'the gateway'
const server: Server = createServer()
let taken: number

beforeAll(async () => {
  taken = await freePort()
  await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve))
})
afterAll(() => void server.close())

it('takes the usual port when nobody listens there', async () => {
  const usual = await freePort()

  expect(await choosePort({ purpose, fallback: usual })).toBe(usual)
})

it('takes another when the usual one is taken', async () => {
  expect(await choosePort({ purpose, fallback: taken })).not.toBe(taken)
})

it('refuses a port that was asked for and is taken, or is none', async () => {
  const ask = (value: string) => choosePort({ purpose, variable: 'PORT', value, fallback: 1 })

  await expect(ask(String(taken))).rejects.toThrow(`PORT=${taken}`)
  await expect(ask('eighty')).rejects.toThrow('PORT=eighty')
})
