import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from '../scripts/process/free-port.ts'

/** A way to a Redis on which what is published gets lost, and nothing else: pub/sub promises no more. */
export type DeafPath = { url: string; lost: () => number; close: () => void }

const MESSAGE = Buffer.from('$7\r\nmessage\r\n')

export async function openDeafPath(to: string): Promise<DeafPath> {
  const { port: target } = new URL(to)
  const port = await freePort()
  const sockets = new Set<Socket>()
  let lost = 0

  const server = createServer((near) => {
    const far = connect(Number(target), '127.0.0.1')
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
    near.pipe(far)
    far.on('data', (chunk: Buffer) => {
      if (chunk.includes(MESSAGE)) lost += 1
      else near.write(chunk)
    })
    far.on('close', () => near.destroy())
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')

  return {
    url: `redis://127.0.0.1:${port}`,
    lost: () => lost,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
