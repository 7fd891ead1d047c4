import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { freePort } from '../process/free-port.ts'
import { type Pumped, pump } from './pump.ts'
import { createRandom, type Random } from './random.ts'
import { createArmed, type Toxic } from './toxic.ts'

export type { Toxic, Way } from './toxic.ts'

export type ProxyOptions = {
  /** Where connections lead: a URL with host and port, of any protocol. */
  to: string
  /** Decides jitter and whom a `share` hits. */
  seed?: number
  /** A free one by default. */
  port?: number
}

export type TcpProxy = {
  /** The URL it was given, with host and port of the proxy in place of the target's. */
  url: string
  port: number
  /** From now on these, and no others, on open connections and on new ones. */
  set: (...toxics: Toxic[]) => Promise<void>
  /** No toxics any more. Connections that a `timeout` has silenced stay silent, as they would behind a firewall that has
   * forgotten them; what a `stall` held back arrives now. */
  heal: () => Promise<void>
  /** Resets whatever is open. */
  resetAll: () => void
  /** How many are open. */
  connections: () => number
  /** How many connections a toxic has hit so far. */
  hits: () => number
  close: () => Promise<void>
}

/** A way to a server that can fail as networks do, one toxic at a time or several at once (toxic.ts). It is a TCP proxy on
 * loopback: it needs no rights and knows no protocol. What the ends of a connection see is the real thing: a refusal, an
 * RST, silence. */
export async function openProxy({ to, seed = 1, port: wanted }: ProxyOptions): Promise<TcpProxy> {
  const target = targetOf(to)
  const port = wanted ?? (await freePort())
  const armed = createArmed()
  const random = createRandom(seed, 'proxy')
  const open = new Set<Connection>()
  let opened = 0
  let server: Server | undefined = await listen(port, accept)

  function accept(near: Socket): void {
    const connection = connectThrough({ near, target, armed, random: random.fork(opened++) })
    open.add(connection)
    void connection.closed.then(() => open.delete(connection))
  }

  const resetAll = () => {
    for (const { reset } of open) reset()
  }

  async function set(...toxics: Toxic[]): Promise<void> {
    armed.set(toxics)
    const isDown = toxics.some(({ kind }) => kind === 'down')
    if (isDown || toxics.some(({ kind }) => kind === 'reset')) resetAll()
    if (isDown) server = void server?.close()
    else server ??= await listen(port, accept)
    for (const { settle } of open) settle()
  }

  return {
    url: addressed(to, port),
    port,
    set,
    heal: () => set(),
    resetAll,
    connections: () => open.size,
    hits: armed.hits,
    close: async () => {
      armed.set([])
      const closing = server && new Promise<void>((resolve) => server?.close(() => resolve()))
      server = undefined
      resetAll()
      await closing
    },
  }
}

type Target = { host: string; port: number }

function targetOf(to: string): Target {
  const { hostname, port, protocol } = new URL(to)
  const usual = { 'http:': 80, 'https:': 443, 'redis:': 6379, 'rediss:': 6379 }[protocol]
  return { host: hostname, port: Number(port || usual) }
}

function addressed(to: string, port: number): string {
  const url = new URL(to)
  url.host = `127.0.0.1:${port}`
  return url.href.replace(/\/$/, to.endsWith('/') ? '/' : '')
}

/** `allowHalfOpen`: an end is passed on when it may be, not at once. */
function listen(port: number, accept: (near: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server))
  })
}

type Connection = {
  reset: () => void
  /** Looks again at what is held back, or kept open by a toxic. */
  settle: () => void
  closed: Promise<unknown>
}

type Through = { near: Socket; target: Target; armed: ReturnType<typeof createArmed>; random: Random }

function connectThrough({ near, target, armed, random }: Through): Connection {
  const far = dial({ ...target, allowHalfOpen: true, noDelay: true })
  const reset = () => {
    near.resetAndDestroy()
    far.resetAndDestroy()
  }
  const toxics = armed.forConnection(random)
  const pumps: Pumped[] = [
    pump({ from: near, into: far, way: 'to', toxics, random, reset }),
    pump({ from: far, into: near, way: 'back', toxics, random, reset }),
  ]
  const settle = () => {
    for (const { settle } of pumps) settle()
  }
  return { reset, settle, closed: Promise.all([near, far].map(closing)) }
}

const closing = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))
