import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { startTestRedis } from '../test/servers.ts'
import type { RedisKind, RunningRedis } from './redis.ts'

/** A Redis of its own, which this test may interrupt. */
async function withRedis(kind: RedisKind, use: (redis: RunningRedis) => Promise<void>): Promise<void> {
  const redis = await startTestRedis({ kind })
  try {
    await use(redis)
  } finally {
    await redis.stop()
  }
}

async function ask<Answer>({ url }: RunningRedis, question: (client: Redis) => Promise<Answer>): Promise<Answer> {
  const client = new Redis(url)
  try {
    return await question(client)
  } finally {
    client.disconnect()
  }
}

it('a ledger that is killed still has what it had acknowledged', () =>
  withRedis('ledger', async (ledger) => {
    await ask(ledger, (client) => client.set('payment', 'sending'))

    await ledger.kill()
    await ledger.restart()

    expect(await ask(ledger, (client) => client.get('payment'))).toBe('sending')
  }))

it('a queue that is killed has forgotten everything', () =>
  withRedis('queue', async (queue) => {
    await ask(queue, (client) => client.set('sealed', 'card'))

    await queue.kill()
    await queue.restart()

    expect(await ask(queue, (client) => client.get('sealed'))).toBeNull()
  }))

it('a paused server answers nothing until it is resumed', () =>
  withRedis('queue', async (queue) => {
    await queue.pause()
    const answer = ask(queue, (client) => client.ping())
    const first = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 200, 'silence'))])
    await queue.resume()

    expect(first).toBe('silence')
    expect(await answer).toBe('PONG')
  }))

it('a ledger that is set back knows what it knew then, and one that is emptied nothing', () =>
  withRedis('ledger', async (ledger) => {
    const states: (string | null)[] = []
    const note = async () => void states.push(await ask(ledger, (client) => client.get('payment')))
    await ask(ledger, (client) => client.set('payment', 'accepted'))
    const goBack = await ledger.snapshot()
    await ask(ledger, (client) => client.set('payment', 'sending'))

    await goBack()
    await note()
    await ledger.restartEmpty()
    await note()

    expect(states).toEqual(['accepted', null])
  }))
