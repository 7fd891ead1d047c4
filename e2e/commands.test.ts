import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stack } from '../scripts/stack/stack.ts'
import { startTestStack } from '../scripts/test/servers.ts'
import { witness } from './simulator.ts'

/** What people type, run as they run it. */
const repository = fileURLToPath(new URL('..', import.meta.url))

type Ended = { code: number; out: string }

const run = (script: string, ...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const { PATH, HOME, TEST_REDIS } = process.env
    const env = { PATH, HOME, TEST_REDIS, NO_COLOR: '1' }
    execFile(process.execPath, [`scripts/${script}.ts`, ...args], { cwd: repository, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout + stderr })
    })
  })

describe('npm start -- --once', () => {
  it('brings everything up, charges the sample, and ends with 0', async () => {
    const { code, out } = await run('start', '--once')

    expect(out).toMatch(/"charge_id":"\d{12}","error_code":null,"error_message":null/)
    expect(out).not.toContain('4111111111111111')
    expect(code).toBe(0)
  })
})

describe('npm run call', () => {
  let stack: Stack

  beforeAll(async () => {
    stack = await startTestStack({ workers: 1 })
  })

  afterAll(() => stack?.stop())

  const call = (...args: string[]) => run('call', '--url', stack.gateways[0]?.endpoint ?? '', ...args)

  it.each([
    ['a charge', ['--amount', '12.50', '--card', '4111111111111111'], 0, /"charge_id":"\d{12}"/],
    ['a token', ['--tokenize'], 0, /"token_id":"\d{12}"/],
    ['a charge to a bank account', ['--bank', '--amount', '5'], 0, /"charge_id":"\d{12}"/],
    ['a decline', ['--amount', '1.01'], 1, /"error_code":"30002"/],
    ['a refusal of ours', ['--amount', '0'], 1, /"error_code":"invalid_request"/],
  ])('plays %s', async (_, args, code, answer) => {
    const ended = await call(...args)

    expect(ended.out).toMatch(answer)
    expect(ended.code).toBe(code)
  })

  it('repeats a payment under the same id, and passes parameters on', async () => {
    const args = ['--amount', '5', '--id', 'order-1', '--parameter', 'cashier=anna']

    const [first, second] = [await call(...args, '--json'), await call(...args, '--json')]

    const payconex = witness(stack.simulator?.url ?? '')
    const { transactions } = await payconex.books('order-1')
    expect(transactions).toHaveLength(1)
    expect(JSON.parse(second.out).action).toEqual(JSON.parse(first.out).action)
    expect((await payconex.requests('order-1'))[0]?.values.cashier).toBe('anna')
  })

  it('tries again on silence, with the same id', async () => {
    await witness(stack.simulator?.url ?? '').fault({ fault: 'delay', ms: 1200, custom_id: 'slow-1' })

    const { code, out } = await call('--amount', '5', '--id', 'slow-1', '--try-timeout', '500', '--tries', '6')

    expect(out).toMatch(/try 3 /)
    expect(code).toBe(0)
    expect((await witness(stack.simulator?.url ?? '').books('slow-1')).transactions).toHaveLength(1)
  })

  it('says what to do when nobody listens', async () => {
    const { code, out } = await run('call', '--url', 'http://127.0.0.1:1/')

    expect(out).toContain('npm start')
    expect(code).toBe(2)
  })
})
