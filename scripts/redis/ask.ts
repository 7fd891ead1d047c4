import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const ANSWER_LIMIT_MS = 1_000
const POLL_MS = 20

/** The process id of the Redis on this loopback port, once it answers PING; `undefined` when none answers. Two inline
 * commands on a bare socket need no client. */
function pidOfRedis(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect({ port, host: '127.0.0.1', timeout: ANSWER_LIMIT_MS })
    const done = (pid?: number) => {
      socket.destroy()
      resolve(pid)
    }
    socket.on('error', () => done())
    socket.on('timeout', () => done())
    socket.on('close', () => done())
    socket.on('connect', () => socket.write('PING\r\nINFO server\r\n'))
    socket.on('data', (chunk) => {
      answer += chunk
      const [, pid] = /^\+PONG\r\n.*\bprocess_id:(\d+)\r\n/s.exec(answer) ?? []
      if (pid !== undefined) done(Number(pid))
    })
  })
}

export type AwaitRedisOptions = {
  port: number
  /** The process that must answer: on a port somebody else took, another Redis may. Not known for a container. */
  pid?: number
  limitMs: number
  /** Says why waiting is pointless, for example because the process has ended. */
  failure?: () => string | undefined
}

/** Waits until the Redis on the port answers PING, its data loaded. */
export async function awaitRedis({ port, pid, limitMs, failure }: AwaitRedisOptions): Promise<void> {
  const deadline = Date.now() + limitMs
  while (Date.now() < deadline) {
    const found = await pidOfRedis(port)
    if (found !== undefined && (pid === undefined || found === pid)) return
    const reason = failure?.()
    if (reason !== undefined) throw new Error(reason)
    await sleep(POLL_MS)
  }
  throw new Error(`no answer on port ${port} within ${limitMs / 1_000} s`)
}
