import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openProxy, type TcpProxy } from './proxy.ts'

let proxy: TcpProxy
let atServer = ''
let serverEnds: string[] = []
let clients: Socket[] = []
let close: () => Promise<void>

/** Answers each packet with it in capitals. */
beforeEach(async () => {
  atServer = ''
  const ends: string[] = []
  serverEnds = ends
  clients = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', (hadError) => ends.push(hadError ? 'error' : 'end'))
    socket.on('data', (chunk) => {
      atServer += chunk
      socket.write(String(chunk).toUpperCase())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy = await openProxy({ to: `http://127.0.0.1:${(server.address() as AddressInfo).port}/path` })
  close = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
})

afterEach(async () => {
  for (const client of clients) client.destroy()
  await proxy.close()
  await close()
})

async function connect() {
  const socket = dial({ port: proxy.port, host: '127.0.0.1' })
  clients.push(socket)
  const seen = { text: '', packets: 0, end: '' }
  socket.on('data', (chunk) => {
    seen.text += chunk
    seen.packets += 1
  })
  socket.on('error', (error) => {
    seen.end = (error as NodeJS.ErrnoException).code ?? ''
  })
  socket.on('close', () => {
    seen.end ||= 'closed'
  })
  await once(socket, 'connect').catch(() => once(socket, 'close'))
  return { socket, seen }
}

const soon = (check: () => unknown) => expect.poll(check, { timeout: 2000, interval: 5 })
const A_WHILE_MS = 100

describe('a proxy without toxics', () => {
  it('has the URL of its target, with its own port', () => {
    expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}/path`)
  })

  it('passes everything on, both ways', async () => {
    const { socket, seen } = await connect()
    const long = 'abc'.repeat(200_000)

    socket.write(long)

    await soon(() => seen.text).toBe(long.toUpperCase())
    expect(proxy.connections()).toBe(1)
    expect(proxy.hits()).toBe(0)
  })

  it('passes an orderly end on, behind the data', async () => {
    const { socket, seen } = await connect()

    socket.end('last words')

    await soon(() => seen.end).toBe('closed')
    expect(seen.text).toBe('LAST WORDS')
    await soon(() => serverEnds).toEqual(['end'])
    await soon(() => proxy.connections()).toBe(0)
  })

  it('passes an RST on', async () => {
    const { socket } = await connect()
    socket.write('x')
    await soon(() => atServer).toBe('x')

    socket.resetAndDestroy()

    await soon(() => serverEnds).toEqual(['error'])
  })
})

describe('a toxic', () => {
  it('latency delays each packet, and they travel side by side', async () => {
    await proxy.set({ kind: 'latency', ms: 80, jitterMs: 10, way: 'to' })
    const { socket, seen } = await connect()
    const start = performance.now()

    for (let nth = 0; nth < 10; nth++) {
      socket.write('x')
      await sleep(2)
    }
    await soon(() => seen.text).toBe('X'.repeat(10))

    expect(performance.now() - start).toBeGreaterThan(78)
    expect(performance.now() - start).toBeLessThan(600)
  })

  it('bandwidth lets so many bytes through in a second', async () => {
    await proxy.set({ kind: 'bandwidth', bytesPerSecond: 10_000, way: 'to' })
    const { socket, seen } = await connect()
    const start = performance.now()

    socket.write('x'.repeat(2000))
    await soon(() => seen.text.length).toBe(2000)

    expect(performance.now() - start).toBeGreaterThan(190)
  })

  it('slicer makes tiny packets', async () => {
    await proxy.set({ kind: 'slicer', bytes: 2, pauseMs: 3, way: 'back' })
    const { socket, seen } = await connect()

    socket.write('abcdefghij')
    await soon(() => seen.text).toBe('ABCDEFGHIJ')

    expect(seen.packets).toBeGreaterThan(3)
  })

  it('limit_data resets in the middle of a message', async () => {
    await proxy.set({ kind: 'limit_data', bytes: 4, way: 'back' })
    const { socket, seen } = await connect()

    socket.write('abcdefghij')

    await soon(() => seen.end).not.toBe('')
    expect(seen.text).toBe('ABCD')
    expect(atServer).toBe('abcdefghij')
  })

  it('timeout silences a connection for good, a new one is well after heal', async () => {
    const old = await connect()
    await proxy.set({ kind: 'timeout' })
    old.socket.write('lost')
    await sleep(A_WHILE_MS)
    await proxy.heal()
    const fresh = await connect()

    old.socket.write('still lost')
    fresh.socket.write('heard')

    await soon(() => fresh.seen.text).toBe('HEARD')
    expect(atServer).toBe('heard')
    expect(old.seen).toMatchObject({ text: '', end: '' })
  })

  it('timeout does not tell the server that the caller has left, until it is lifted', async () => {
    await proxy.set({ kind: 'timeout', way: 'to' })
    const { socket } = await connect()
    socket.destroy()
    await sleep(A_WHILE_MS)

    const before = [...serverEnds]
    await proxy.heal()

    expect(before).toEqual([])
    await soon(() => serverEnds).toHaveLength(1)
    await soon(() => proxy.connections()).toBe(0)
  })

  it('stall holds everything back, and lets it arrive late', async () => {
    await proxy.set({ kind: 'stall', way: 'to' })
    const { socket, seen } = await connect()
    socket.write('late')
    await sleep(A_WHILE_MS)

    const before = atServer
    await proxy.heal()

    expect(before).toBe('')
    await soon(() => seen.text).toBe('LATE')
  })

  it('stall lets a request arrive late whose caller has long left', async () => {
    await proxy.set({ kind: 'stall', way: 'to' })
    const { socket } = await connect()
    socket.write('late')
    await sleep(20)
    socket.destroy()
    await sleep(20)

    await proxy.heal()

    await soon(() => atServer).toBe('late')
  })

  it('cut lets the request arrive and resets in place of the answer', async () => {
    await proxy.set({ kind: 'cut' })
    const { socket, seen } = await connect()

    socket.write('pay')

    await soon(() => seen.end).toBe('ECONNRESET')
    expect(seen.text).toBe('')
    expect(atServer).toBe('pay')
  })

  it('swallow lets the request arrive, and the answer goes nowhere', async () => {
    await proxy.set({ kind: 'swallow' })
    const { socket, seen } = await connect()

    socket.write('pay')
    await soon(() => atServer).toBe('pay')
    await sleep(A_WHILE_MS)

    expect(seen).toMatchObject({ text: '', end: '' })
  })

  it('reset ends open connections at once, and new ones with their first byte', async () => {
    const open = await connect()
    open.socket.write('x')
    await soon(() => open.seen.text).toBe('X')

    await proxy.set({ kind: 'reset' })
    const fresh = await connect()
    fresh.socket.write('y')

    await soon(() => open.seen.end).toBe('ECONNRESET')
    await soon(() => fresh.seen.end).toBe('ECONNRESET')
    expect(atServer).toBe('x')
  })

  it('down refuses, and heal listens again on the same port', async () => {
    await proxy.set({ kind: 'down' })
    const refused = await connect()
    await proxy.heal()
    const taken = await connect()

    taken.socket.write('x')

    expect(refused.seen.end).toBe('ECONNREFUSED')
    await soon(() => taken.seen.text).toBe('X')
  })

  it('with a share hits that part of the connections, the same ones with the same seed', async () => {
    await proxy.set({ kind: 'cut', share: 0.5 })

    const all = await Promise.all(Array.from({ length: 40 }, connect))
    for (const { socket } of all) socket.write('x')
    await soon(() => all.filter(({ seen }) => seen.text || seen.end).length).toBe(40)

    expect(proxy.hits()).toBeGreaterThan(8)
    expect(proxy.hits()).toBeLessThan(32)
    expect(all.filter(({ seen }) => seen.end === 'ECONNRESET')).toHaveLength(proxy.hits())
  })

  it('with next hits so many connections and no more', async () => {
    await proxy.set({ kind: 'cut', next: 1 })
    const first = await connect()
    first.socket.write('x')
    await soon(() => first.seen.end).toBe('ECONNRESET')
    const second = await connect()

    second.socket.write('y')

    await soon(() => second.seen.text).toBe('Y')
    expect(proxy.hits()).toBe(1)
  })

  it('can come with others', async () => {
    await proxy.set({ kind: 'latency', ms: 30 }, { kind: 'slicer', bytes: 1 })
    const { socket, seen } = await connect()
    const start = performance.now()

    socket.write('both')
    await soon(() => seen.text).toBe('BOTH')

    expect(performance.now() - start).toBeGreaterThan(58)
  })
})
