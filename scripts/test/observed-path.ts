import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type Observed = { word: string; nth?: number; meanwhile: () => Promise<unknown> }

/** Support for tests: a way to a Redis on which the answer to the nth command with this word waits until something else was done. */
export async function openObserved(to: string, { word, nth = 1, meanwhile }: Observed) {
  const { hostname, port } = new URL(to)
  const sockets = new Set<Socket>()
  let heard = 0
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    let isAwaited = false
    let turn: Promise<unknown> = Promise.resolve()
    near.on('data', (data) => {
      const count = String(data).split(word).length - 1
      isAwaited ||= heard < nth && heard + count >= nth
      heard += count
      far.write(data)
    })
    far.on('data', (data) => {
      if (isAwaited) turn = turn.then(meanwhile)
      isAwaited = false
      turn = turn.then(() => near.writable && near.write(data))
    })
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(one)
      one.on('error', () => undefined).on('close', () => other.destroy())
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: Object.assign(new URL(to), { port: (server.address() as AddressInfo).port }).href,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
