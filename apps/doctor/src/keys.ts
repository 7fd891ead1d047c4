import { type Finding, ok, warning } from './finding.ts'
import type { Settings } from './settings.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const OLD_DAYS = 365

/** What can be told of keys without using them. Whether they are random, equal or of the wrong length the configuration has said. When
 * they were made no key tells: only its id may, for `npm run keys -- new` names it after the day. */
export function examineKeys({ SEAL_KEYS, LEDGER_KEY }: Settings, now = Date.now()): Finding[] {
  const ring = SEAL_KEYS && [...SEAL_KEYS.all.keys()]
  const sealing = SEAL_KEYS?.first.id ?? ''
  const age = ageDays(sealing, now)
  return [
    ...(ring ? [ok('keys', `${sealing} seals, ${ring.length} can open: ${shorten(ring)}`)] : []),
    ...(ring ? [judgeAge(sealing, age)] : []),
    ...(LEDGER_KEY ? [ok('keys', 'LEDGER_KEY has 32 bytes; it stays as long as the ledger')] : []),
  ]
}

function judgeAge(id: string, days: number | undefined): Finding {
  if (days === undefined) return ok('keys', `how old ${id} is cannot be known: its id is no day (k20261125)`)
  const seen = `${id} is ${days} days old, by its name`
  return days > OLD_DAYS ? warning('keys', seen, 'change it: README.md, "Changing keys"') : ok('keys', seen)
}

function ageDays(id: string, now: number): number | undefined {
  const [, year, month, day] = /(20\d\d)-?([01]\d)-?([0-3]\d)/.exec(id) ?? []
  const made = Date.UTC(Number(year), Number(month) - 1, Number(day))
  return Number.isNaN(made) || made > now + DAY_MS ? undefined : Math.max(0, Math.floor((now - made) / DAY_MS))
}

const SHOWN = 5
const shorten = (ids: readonly string[]) => ids.slice(0, SHOWN).join(', ') + (ids.length > SHOWN ? ', ...' : '')
