import { createServer } from 'node:net'

/** Ports below the range from which the system takes the local ends of outgoing connections (32768 on Linux, higher
 * elsewhere): a port handed out here is not taken by a passing connection before its server listens, nor while it restarts. */
const LOWEST = 20_000
const SLICE = 100
const SLICES = 120

let handedOut = 0

/** A port nobody listens on. Each process draws from its own slice, so that tests in parallel do not race for one port. */
export async function freePort(): Promise<number> {
  const first = LOWEST + (process.pid % SLICES) * SLICE
  for (let tried = 0; tried < SLICE; tried++) {
    const port = first + (handedOut++ % SLICE)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port from ${first} to ${first + SLICE - 1}`)
}

/** Whether nothing listens on the port, neither on loopback nor on all interfaces. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '0.0.0.0'))
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
