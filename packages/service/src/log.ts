import { pino, stdTimeFunctions } from 'pino'
import pretty from 'pino-pretty'
import type { EventAt, LogEvent } from './events.ts'

/** What may be logged: an allow-list, so that a new field is a decision and not an accident. Payment keys are keyed
 * hashes; nothing here comes from a request's body but names of fields. */
export type LogFields = {
  event: LogEvent
  payment?: string
  attempt?: number
  method?: string
  /** Of a transition: the state that was left. */
  from?: string
  state?: string
  verdict?: string
  step?: string
  /** What kind of failure it was, where there was one; `reason` is its particular. */
  class?: string | undefined
  reason?: string
  field?: string
  code?: string
  status?: number
  count?: number
  ms?: number
  port?: number
  setting?: string
  signal?: string
  /** Absent where nothing is traced. */
  trace_id?: string | undefined
}

export type Log = {
  debug(fields: LogFields, message: string): void
  info(fields: FieldsAt<'info'>, message: string): void
  warn(fields: FieldsAt<'warn'>, message: string): void
  error(fields: FieldsAt<'error'>, message: string): void
}

type FieldsAt<Level extends 'info' | 'warn' | 'error'> = LogFields & { event: EventAt<Level> }

export type LogOptions = { name: string; level: string; pretty: boolean }

/** One JSON line per event on standard output, asynchronous and several at a time, at most a tenth of a second late: each write
 * wakes another thread, which costs more than the line. `flush` writes what is left before the process ends. Facts that must survive
 * a crash stand in the ledger, not here. */
export function createLog({ name, level, pretty: forPeople }: LogOptions): Log & { flush: () => void } {
  const options = { name, level, base: { name, pid: process.pid }, timestamp: stdTimeFunctions.isoTime }
  if (forPeople) return pino(options, pretty(FOR_PEOPLE))
  return pino(options, standardOutput())
}

/** One line each: when, how bad, what, and the rest behind it. */
const FOR_PEOPLE = {
  sync: true,
  singleLine: true,
  ignore: 'pid,name,event',
  translateTime: 'SYS:HH:MM:ss.l',
  messageFormat: '{name} {event}: {msg}',
}

// What may wait to be written; beyond it lines are dropped.
const LIMIT_BYTES = 4 * 1024 * 1024
const TOGETHER_BYTES = 4 * 1024
const LATE_MS = 100

/** A log that cannot be written, for instance because the disk is full, costs the log and not the process, which holds payments.
 * Pino would let such an error end the process, and then try for ever to write the last lines. */
function standardOutput() {
  const destination = pino.destination({
    fd: 1,
    sync: false,
    minLength: TOGETHER_BYTES,
    periodicFlush: LATE_MS,
    maxLength: LIMIT_BYTES,
  })
  destination.on('error', () => {
    destination.flushSync = () => undefined
  })
  return destination
}

/** The name of what went wrong, for a log: an error's code or class, never its message, which may quote what it choked on. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}
