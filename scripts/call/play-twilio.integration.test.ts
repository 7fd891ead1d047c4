import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { freePort } from '../process/free-port.ts'
import { type Body, call } from './play-twilio.ts'

type Seen = { headers: IncomingMessage['headers']; body: Body }
type Reaction = (response: ServerResponse) => unknown

const charged = { charge_id: '000000000012', error_code: null, error_message: null }
const credentials = { user: '120615000000', password: 'key' }
const body = { method: 'charge', transaction_id: 'one' }

const answer: Reaction = (response) => response.end(JSON.stringify(charged))
const silence: Reaction = () => undefined
const hangUp: Reaction = (response) => response.destroy()

/** A bridge that reacts to the first request with the first reaction, and so on. */
async function withBridge(reactions: Reaction[], use: (url: string, seen: Seen[]) => Promise<void>): Promise<void> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const reaction = reactions[seen.length] ?? silence
    seen.push({ headers: request.headers, body: (await json(request)) as Body })
    reaction(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

it('repeats on silence with the same transaction_id until an answer comes', () =>
  withBridge([silence, silence, answer], async (url, seen) => {
    const result = await call({ url, body, credentials, tryTimeoutMs: 50 })

    expect(result.tries.map(({ kind }) => kind)).toEqual(['silence', 'silence', 'answered'])
    expect(seen.map((request) => request.body.transaction_id)).toEqual(['one', 'one', 'one'])
    expect(result.answer).toMatchObject({ status: 200, body: charged })
  }))

it('gives up after six tries', () =>
  withBridge([], async (url, seen) => {
    const result = await call({ url, body, credentials, tryTimeoutMs: 20 })

    expect(result.answer).toBeUndefined()
    expect(result.tries).toHaveLength(6)
    expect(new Set(seen.map((request) => request.body.transaction_id)).size).toBeLessThanOrEqual(1)
  }))

it('goes on when a connection is lost', () =>
  withBridge([hangUp, answer], async (url) => {
    const result = await call({ url, body, credentials, tryTimeoutMs: 50 })

    expect(result.tries.map(({ kind }) => kind)).toEqual(['broken', 'answered'])
  }))

it('sends Basic credentials and, when asked to, an empty Content-Type', () =>
  withBridge([answer], async (url, seen) => {
    await call({ url, body, credentials, contentType: '' })

    expect(seen[0]?.headers).toMatchObject({ authorization: 'Basic MTIwNjE1MDAwMDAwOmtleQ==', 'content-type': '' })
  }))

it('ends at once when nobody listens', async () => {
  const url = `http://127.0.0.1:${await freePort()}/`

  const result = await call({ url, body, credentials })

  expect(result.tries).toMatchObject([{ kind: 'broken', code: 'ECONNREFUSED' }])
})
