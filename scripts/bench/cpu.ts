import { readFileSync } from 'node:fs'

/** The kernel counts in hundredths of a second for user space, whatever it uses itself (USER_HZ). */
const TICK_MICROSECONDS = 10_000
const KIBIBYTE = 1024

/** The CPU time a process has used so far with all its threads, in microseconds, to the nearest 10,000. From the accounting of
 * the operating system, which goes on being right on a busy machine where times on the wall do not. Linux only. */
export function cpuMicroseconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program stands in parentheses and may contain anything: what is counted comes after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[USER]) + Number(fields[SYSTEM])) * TICK_MICROSECONDS
}

/** The 14th and 15th field of the line, counted from the third; see proc(5). */
const USER = 11
const SYSTEM = 12

/** The memory that a process has at present, in bytes. */
export function residentBytes(pid: number): number {
  const [, kibibytes = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kibibytes) * KIBIBYTE
}
