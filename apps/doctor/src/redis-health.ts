import type { RedisKind } from '@pay/payment-queue'
import { type Finding, ok, warning, wrong } from './finding.ts'

export type Info = ReadonlyMap<string, string>

/** INFO as names and values. */
export const infoOf = (text: string): Info =>
  new Map(text.split(/\r?\n/).flatMap((line) => (/^\w+:/.test(line) ? [splitOnce(line)] : [])))

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(':')
  return [line.slice(0, at), line.slice(at + 1)]
}

const FULL_PERCENT = 95
const TIGHT_PERCENT = 80
const MIB = 1024 * 1024

/** Without eviction a server that is full refuses to write; one without a limit is ended by the system. */
export function judgeMemory(name: string, info: Info): Finding {
  const used = Number(info.get('used_memory'))
  const own = Number(info.get('maxmemory') ?? 0)
  const limit = own || Number(info.get('total_system_memory') ?? 0)
  if (!Number.isFinite(used) || limit === 0) return warning(name, 'it does not tell its memory', 'watch it yourself')
  const percent = Math.round((used / limit) * 100)
  const seen = `${mib(used)} of ${mib(limit)} used (${percent} %)${own ? '' : ', no maxmemory is set'}`
  const remedy = own ? 'raise maxmemory, or move it to a larger machine' : 'move it to a larger machine'
  if (percent >= FULL_PERCENT) return wrong(name, seen, remedy)
  return percent >= TIGHT_PERCENT ? warning(name, seen, remedy) : ok(name, seen)
}

const mib = (bytes: number) => `${Math.round(bytes / MIB).toLocaleString('en')} MiB`

/** What its last writing to the disk came to; the queue has none. */
export function judgeDisk(name: string, kind: RedisKind, info: Info): Finding[] {
  if (kind === 'queue') return []
  if (info.get('aof_enabled') !== '1') return []
  if (info.get('aof_last_write_status') === 'err') {
    return [
      wrong(
        name,
        'the last write to its append-only file failed: it refuses to write',
        'make room on its disk, see its log',
      ),
    ]
  }
  if (info.get('aof_last_bgrewrite_status') === 'err') {
    return [warning(name, 'the last rewriting of its append-only file failed, so the file only grows', 'see its log')]
  }
  const size = Number(info.get('aof_current_size') ?? 0)
  return [ok(name, `the last write was good; the append-only file has ${mib(size)}`)]
}

/** With fewer than must acknowledge nothing is ever sent. */
export function judgeReplicas(name: string, info: Info, acknowledge: number): Finding[] {
  if (acknowledge === 0) return []
  const seen = `${info.get('connected_slaves') ?? '?'} replicas, LEDGER_REPLICAS_ACK=${acknowledge}`
  const isEnough = Number(info.get('connected_slaves')) >= acknowledge
  return [isEnough ? ok(name, seen) : wrong(name, `${seen}: nothing can be sent`, 'connect replicas, or lower it')]
}

/** Connections that it has, and that it may have. */
export function judgeClients(name: string, info: Info): Finding[] {
  const [connected, most] = [Number(info.get('connected_clients')), Number(info.get('maxclients'))]
  if (!Number.isFinite(connected) || !Number.isFinite(most) || most === 0) return []
  const seen = `${connected} connections of at most ${most}`
  return [connected / most > TIGHT_PERCENT / 100 ? warning(name, seen, 'raise maxclients there') : ok(name, seen)]
}

export type Latency = {
  pingMs: number
  writeMs?: number | undefined
  /** The write was known to be on the disk before it was answered. */
  isFlushed?: boolean
}

const FAR_MS = 5
const SLOW_DISK_MS = 20

/** A payment asks each of the servers several times, one question after the other. */
export function judgeLatency(name: string, { pingMs, writeMs, isFlushed = false }: Latency): Finding[] {
  const ping = `median of its answers to PING: ${pingMs.toFixed(2)} ms`
  return [
    pingMs > FAR_MS ? warning(name, ping, 'bring it nearer: a payment asks some ten times') : ok(name, ping),
    ...(writeMs === undefined ? [] : [judgeWrite(name, writeMs, isFlushed)]),
  ]
}

function judgeWrite(name: string, writeMs: number, isFlushed: boolean): Finding {
  const seen = `median of a write${isFlushed ? ' that is on its disk' : ''}: ${writeMs.toFixed(2)} ms`
  return writeMs > SLOW_DISK_MS
    ? warning(name, seen, 'give it a disk that flushes faster (SSD with power-loss protection)')
    : ok(name, seen)
}

export const median = (numbers: readonly number[]): number =>
  [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN
