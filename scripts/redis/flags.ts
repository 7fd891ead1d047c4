/** The two servers keep opposite promises: the queue sees sealed cards and never remembers, the ledger never sees a card and
 * never forgets. */
export type RedisKind = 'queue' | 'ledger'

/** `no` leaves the flush to the system: only for tests that look at something else than crashes. */
export type Fsync = 'always' | 'no'

const persistence = {
  queue: () => ['--save', '', '--appendonly', 'no'],
  ledger: (fsync: Fsync) => ['--save', '', '--appendonly', 'yes', '--appendfsync', fsync],
}

/** What a server of this kind is started with, wherever it runs. */
export function flagsOf(kind: RedisKind, fsync: Fsync = 'always'): string[] {
  return [...persistence[kind](fsync), '--maxmemory-policy', 'noeviction', '--daemonize', 'no', '--loglevel', 'warning']
}
