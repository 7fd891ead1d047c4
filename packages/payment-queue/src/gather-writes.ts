import type { Redis } from 'ioredis'

/** ioredis writes each command by itself, and the system call costs more than the command. Here all that is asked of one connection
 * within one turn of the event loop leaves together, in the order in which it was asked. Nothing waits for a timer: whoever is
 * alone is sent as soon as the turn ends, and none is held back for more than a millisecond and the piece of work that runs then.
 *
 * Only when bytes leave is changed: each command has its own time limit and its own answer, and what is still held back when
 * the connection ends was asked but not answered, as if it had been lost on its way. (ioredis' `enableAutoPipelining` gathers, too,
 * but costs more for each command and holds everything back while an earlier batch is unanswered.) */
export function gatherWrites(redis: Redis): Redis {
  redis.on('connect', () => gather(redis.stream))
  return redis
}

const LONGEST_MS = 1

/** A cork holds back what is written to a stream; pulling it, or the stream's end, writes all of it at once. */
function gather(stream: Redis['stream']): void {
  const { write, _writev: writeMany } = stream
  let corkedAt = 0
  // Nothing happens where the cork was pulled before.
  const pull = () => stream.uncork()

  stream.write = (...args: unknown[]): boolean => {
    if (stream.writableCorked > 0) {
      const hasRoom = Reflect.apply(write, stream, args)
      if (performance.now() - corkedAt > LONGEST_MS) pull()
      return hasRoom
    }
    stream.cork()
    corkedAt = performance.now()
    setImmediate(pull)
    return Reflect.apply(write, stream, args)
  }

  // One long text costs the socket less than many short ones.
  stream._writev = (chunks, done) => {
    if (chunks.some(({ encoding }) => encoding !== 'utf8')) return writeMany?.call(stream, chunks, done)
    stream._write(chunks.map(({ chunk }) => chunk).join(''), 'utf8', done)
  }
}
