import type { Find, Finder } from './finder.ts'

/** Something found: what, where, and at which byte of that place it begins. */
export type Finding = { kind: string; place: string; at: number }

/** Something that could not be looked at. */
export type Unseen = { place: string; why: string }

export type Result = {
  findings: Finding[]
  found: number
  unseen: Unseen[]
  missed: number
  looked: { keys: number; files: number; bytes: number }
}

/** More are counted, not listed. */
const LISTED = 1000

export type Report = ReturnType<typeof createReport>

/** Collects what a scan finds. A place is named by keys, fields and files, which can be the very thing that must not be
 * printed: whatever the finder finds in a name is taken out of it. */
export function createReport(hide: Finder) {
  const result: Result = { findings: [], found: 0, unseen: [], missed: 0, looked: { keys: 0, files: 0, bytes: 0 } }
  return {
    found({ kind, at }: Pick<Find, 'kind' | 'at'>, place: string): void {
      result.found += 1
      if (result.findings.length < LISTED) result.findings.push({ kind, place, at })
    },
    unseen(place: string, why: string): void {
      result.missed += 1
      if (result.unseen.length < LISTED) result.unseen.push({ place, why })
    },
    looked(kind: 'keys' | 'files' | 'bytes', count: number): void {
      result.looked[kind] += count
    },
    /** A name as it may be printed. */
    name: (bytes: Buffer | string): string => printable(without(Buffer.from(bytes as string), hide)),
    result: (): Result => result,
  }
}

function without(bytes: Buffer, hide: Finder): string {
  const text = bytes.toString('latin1')
  const finds = hide(bytes).toSorted((one, other) => one.at - other.at)
  let [shown, from] = ['', 0]
  for (const { kind, at, length } of finds) {
    if (at >= from) shown += `${text.slice(from, at)}<${kind}>`
    from = Math.max(from, at + length)
  }
  return shown + text.slice(from)
}

const LONGEST = 1000

/** One line, whatever bytes there are. */
function printable(text: string): string {
  const escaped = text.replace(/[^\x20-\x7e]/g, (odd) => `\\x${odd.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return escaped.length > LONGEST ? `${escaped.slice(0, LONGEST)}...` : escaped
}

/** The exit code: found wins, and what was not looked at is never clean. */
export const exitCodeOf = ({ found, missed }: Result): number => (found > 0 ? 1 : missed > 0 ? 2 : 0)

export function linesOf(result: Result): string[] {
  const { findings, found, unseen, missed, looked } = result
  return [
    ...findings.map(({ kind, place, at }) => `FOUND     ${kind}: ${place}, byte ${at}`),
    ...moreOf('FOUND   ', found - findings.length),
    ...unseen.map(({ place, why }) => `NOT SEEN  ${place}: ${why}`),
    ...moreOf('NOT SEEN', missed - unseen.length),
    `${verdictOf(result)}: ${looked.keys} keys, ${looked.files} files, ${(looked.bytes / 1e6).toFixed(1)} MB looked through`,
  ]
}

const moreOf = (what: string, count: number) => (count > 0 ? [`${what}  ${count} more`] : [])

function verdictOf({ found, missed }: Result): string {
  if (found > 0) return `found in ${found} places`
  return missed > 0 ? `nothing found, and ${missed} not looked at` : 'clean'
}
