import { reasonOf, SECOND } from '@pay/service'
import { type Finding, wrong } from './finding.ts'
import { within } from './within.ts'

export type PartsOptions = {
  /** For all parts together. */
  limitMs: number
  /** Told what is still being waited for, now and then. */
  onWaiting: (parts: readonly string[]) => void
}

const SAY_EVERY_MS = 2 * SECOND

/** Parts of an examination that run side by side. Whatever becomes of one (it takes too long, or there is a mistake of ours), the others
 * are heard. */
export function createParts({ limitMs, onWaiting }: PartsOptions) {
  const waiting = new Set<string>()
  const until = performance.now() + limitMs
  const saying = setInterval(() => waiting.size > 0 && onWaiting([...waiting]), SAY_EVERY_MS)
  const late = `nothing was known within ${Math.round(limitMs / SECOND)} s`

  /** Its result, or `instead` what a finding makes of it that says why there is none. */
  async function part<Result>(name: string, work: Promise<Result>, instead: (finding: Finding) => Result) {
    waiting.add(name)
    const mistaken = (error: unknown) =>
      instead(
        wrong(name, `it could not be looked at (${reasonOf(error)})`, 'report it: this is a mistake of the doctor'),
      )
    const result = await within(until - performance.now(), work).catch(mistaken)
    waiting.delete(name)
    return result ?? instead(wrong(name, late, 'see what else is slow, then look again'))
  }

  return {
    part,
    list: (name: string, work: Promise<Finding[]>): Promise<Finding[]> => part(name, work, (finding) => [finding]),
    stop: () => clearInterval(saying),
  }
}

export type Parts = ReturnType<typeof createParts>
