import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

/** Support for tests: a way to a Redis that can be lost as networks lose it, without a word to either end. */
export type Path = {
  /** The Redis at the other end. */
  url: string
  /** From now on nothing comes through on the connections that are open, and nobody is told. New ones come through, unless
   * the whole path is lost. */
  fallSilent: (lost?: 'open connections' | 'whole path') => void
  /** New connections come through again. */
  heal: () => void
  close: () => Promise<void>
}

export async function openPath(to: string): Promise<Path> {
  const { hostname, port } = new URL(to)
  const sockets = new Set<Socket>()
  let isLost = false
  // A silent path does not answer a goodbye either.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    keep(near)
    if (isLost) return
    const far = dial({ host: hostname, port: Number(port), allowHalfOpen: true })
    keep(far)
    near.pipe(far)
    far.pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fallSilent: (lost = 'open connections') => {
      isLost = lost === 'whole path'
      for (const socket of sockets) socket.unpipe().removeAllListeners('data').pause()
    },
    heal: () => {
      isLost = false
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
