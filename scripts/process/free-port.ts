import { createServer } from 'node:net'

/** Ports below the range from which the system takes the local ends of outgoing connections (32768 on Linux, higher
 * elsewhere): a port handed out here is not taken by a passing connection before its server listens, nor while it restarts. */
const LOWEST = 20_000
const COUNT = 12_000
const ATTEMPTS = 3

let next = Math.floor(Math.random() * COUNT)

/** A port nobody listens on. Each process draws from a place of its own, so that tests in parallel hardly race for one port. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < COUNT; tried++) {
    const port = LOWEST + (next++ % COUNT)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port from ${LOWEST} to ${LOWEST + COUNT - 1}`)
}

/** Starts something on the port that is wanted, or on a free one: then a port that somebody took between looking and listening
 * is given up for another. */
export async function onPort<Started>(
  wanted: number | undefined,
  start: (port: number) => Promise<Started>,
): Promise<Started> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(wanted ?? (await freePort()))
    } catch (error) {
      const isTaken = error instanceof Error && error.message.includes('in use')
      if (!isTaken || wanted !== undefined || attempt === ATTEMPTS) throw error
    }
  }
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
