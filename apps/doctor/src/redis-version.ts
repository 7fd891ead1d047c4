import { type Finding, ok, warning, wrong } from './finding.ts'

export type Wishes = { isCluster: boolean; waitaof: boolean }

type Version = readonly [number, number, number]

/** The first version of each line in which scripts can no longer take over the server (CVE-2025-49844 and its kin). Our users may
 * run scripts. Lines that are not named never got the repair. https://github.com/docker-library/official-images/pull/20011 */
const REPAIRED: Readonly<Record<string, readonly Version[]>> = {
  Redis: [
    [6, 2, 20],
    [7, 2, 11],
    [7, 4, 6],
    [8, 0, 4],
    [8, 2, 2],
  ],
  Valkey: [
    [7, 2, 11],
    [8, 0, 6],
    [8, 1, 4],
  ],
}

/** What INFO says of its version: too old to do the work, or known to be bad. Valkey tells an old version of Redis beside its own. */
export function judgeVersion(name: string, info: ReadonlyMap<string, string>, { isCluster, waitaof }: Wishes): Finding {
  const isValkey = info.has('valkey_version')
  const brand = isValkey ? 'Valkey' : 'Redis'
  const text = info.get(isValkey ? 'valkey_version' : 'redis_version') ?? ''
  const version = versionOf(text)
  const seen = `${brand} ${text}`
  if (!version) return warning(name, 'it does not tell its version', 'see that it is 7.0 or newer')
  if (isBefore(version, isValkey ? [0, 0, 0] : [6, 2, 0])) return wrong(name, `${seen}: nothing starts with it`, UPDATE)
  if (waitaof && isBefore(version, [7, 2, 0])) {
    return wrong(name, `${seen} has no WAITAOF, which LEDGER_REPLICAS_ACK needs`, 'use Redis 7.2 or newer')
  }
  if (isBefore(version, [7, 0, 0])) {
    const old = `${seen}: the users of deploy/redis need 7.0`
    return isCluster ? wrong(name, `${seen}: a cluster must be 7.0 or newer`, UPDATE) : warning(name, old, UPDATE)
  }
  const repaired = REPAIRED[brand] ?? []
  if (hasHole(version, repaired)) {
    const lines = repaired.map((each) => each.join('.')).join(', ')
    return warning(
      name,
      `${seen}: by its number open to CVE-2025-49844 (scripts)`,
      `update to ${lines} or newer; a Linux package may have the repair under its old number`,
    )
  }
  return ok(name, seen)
}

const UPDATE = 'use Redis 7.2 or newer, or Valkey'

function hasHole(version: Version, repaired: readonly Version[]): boolean {
  const own = repaired.find(([major, minor]) => major === version[0] && minor === version[1])
  const last = repaired.at(-1) as Version
  return own ? isBefore(version, own) : isBefore(version, last)
}

function versionOf(text: string): Version | undefined {
  const [, major, minor, patch = '0'] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? []
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)]
}

function isBefore(one: Version, other: Version): boolean {
  const nth = one.findIndex((part, place) => part !== other[place])
  return nth >= 0 && (one[nth] as number) < (other[nth] as number)
}
