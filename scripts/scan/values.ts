import type { Redis } from 'ioredis'

/** One text of a value, and where in it: `, field "x"`. */
export type Said = { text: Buffer; part?: string }

const PIECE_BYTES = 1024 * 1024
const PAGE = 500

type Reader = () => AsyncGenerator<Said>

/** How to read the value of a key, whatever its type, a page at a time. */
export function readersOf(redis: Redis, key: Buffer, name: (bytes: Buffer) => string) {
  const ask = async (command: string, ...args: (string | number | Buffer)[]) =>
    (await redis.callBuffer(command, [key, ...args])) as Buffer[]

  async function* scanned(command: string): AsyncGenerator<Buffer[]> {
    let cursor = '0'
    do {
      const [next, page] = (await ask(command, cursor, 'COUNT', PAGE)) as unknown as [Buffer, Buffer[]]
      cursor = String(next)
      yield page
    } while (cursor !== '0')
  }

  async function* pairs(command: string, first: string, second: string): AsyncGenerator<Said> {
    for await (const page of scanned(command)) {
      for (let at = 0; at < page.length; at += 2) {
        const [text, value] = [page[at] as Buffer, page[at + 1] as Buffer]
        const named = `"${name(text)}"`
        yield { text, part: `, the name of ${first} ${named}` }
        yield { text: value, part: `, ${second} ${named}` }
      }
    }
  }

  async function* set(): AsyncGenerator<Said> {
    for await (const page of scanned('SSCAN')) for (const text of page) yield { text, part: ', a member' }
  }

  async function* list(): AsyncGenerator<Said> {
    for (let from = 0; ; from += PAGE) {
      const page = await ask('LRANGE', from, from + PAGE - 1)
      for (const [nth, text] of page.entries()) yield { text, part: `, element ${from + nth}` }
      if (page.length < PAGE) return
    }
  }

  async function* stream(): AsyncGenerator<Said> {
    yield* entries()
    for (const text of textsIn(await redis.callBuffer('XINFO', ['STREAM', key, 'FULL', 'COUNT', '1']))) {
      yield { text, part: ', its groups and consumers' }
    }
  }

  async function* entries(): AsyncGenerator<Said> {
    for (let from = '-'; ; ) {
      const page = (await ask('XRANGE', from, '+', 'COUNT', PAGE)) as unknown as [Buffer, Buffer[]][]
      for (const [id, fields] of page) for (const text of fields) yield { text, part: `, entry ${id}` }
      const last = page.at(-1)
      if (page.length < PAGE || !last) return
      from = `(${last[0]}`
    }
  }

  async function* pieces(): AsyncGenerator<Buffer> {
    for (let from = 0; ; from += PIECE_BYTES) {
      const piece = (await redis.getrangeBuffer(key, from, from + PIECE_BYTES - 1)) as Buffer
      if (piece.length > 0) yield piece
      if (piece.length < PIECE_BYTES) return
    }
  }

  const byType: Readonly<Record<string, Reader>> = {
    hash: () => pairs('HSCAN', 'field', 'field'),
    zset: () => pairs('ZSCAN', 'member', 'the score of'),
    set,
    list,
    stream,
  }
  return { byType, pieces }
}

/** All texts of an answer of Redis, however deep. */
export function textsIn(answer: unknown): Buffer[] {
  if (Buffer.isBuffer(answer)) return [answer]
  return Array.isArray(answer) ? answer.flatMap(textsIn) : []
}
