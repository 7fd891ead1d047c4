import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from '../scripts/process/free-port.ts'

/** A way to the ledger on which its clock can be set. The scripts take the time as their first argument, and the server's own where
 * that is empty: here it is filled in. So it works with any Redis, and nothing else on this machine notices. */
export type ClockPath = { url: string; jump: (ms: number) => void; close: () => void }

export async function openClockPath(to: string): Promise<ClockPath> {
  const { port: target } = new URL(to)
  const port = await freePort()
  const sockets = new Set<Socket>()
  let shift = 0

  const server = createServer((near) => {
    const far = connect(Number(target), '127.0.0.1')
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
    far.pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    let rest = Buffer.alloc(0)
    near.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      for (;;) {
        const read = readCommand(rest)
        if (!read) return
        rest = rest.subarray(read.length)
        far.write(write(withTime(read.words, shift)))
      }
    })
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')

  return {
    url: `redis://127.0.0.1:${port}`,
    jump: (ms) => {
      shift += ms
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** EVALSHA, the script, how many keys, the keys, then its arguments: the first is the time. */
function withTime(words: Buffer[], shift: number): Buffer[] {
  const [name, , keys] = words.map(String)
  if (shift === 0 || !/^eval/i.test(name ?? '')) return words
  const place = 3 + Number(keys)
  return words.map((word, nth) => (nth === place && word.length === 0 ? Buffer.from(String(Date.now() + shift)) : word))
}

const END = Buffer.from('\r\n')

/** A whole command at the start of what was received: `*2 $4 PING $1 x`, each on a line of its own. */
function readCommand(from: Buffer): { words: Buffer[]; length: number } | undefined {
  let at = 0
  const line = () => {
    const end = from.indexOf(END, at)
    if (end < 0) return undefined
    const text = from.toString('latin1', at + 1, end)
    at = end + END.length
    return Number(text)
  }
  const count = line()
  if (count === undefined) return undefined
  const words: Buffer[] = []
  while (words.length < count) {
    const size = line()
    if (size === undefined || from.length < at + size + END.length) return undefined
    words.push(from.subarray(at, at + size))
    at += size + END.length
  }
  return { words, length: at }
}

const write = (words: Buffer[]) =>
  Buffer.concat([
    Buffer.from(`*${words.length}\r\n`),
    ...words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, END]),
  ])
