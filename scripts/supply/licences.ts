import type { Locked } from './lock-file.ts'

/** Licences that ask for no more than to be named, and for patents to be left in peace. */
const permissive = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0']
/** Tools reach nobody: what asks only those who pass the tool itself on is fine, too. */
const forTools = [...permissive, 'BlueOak-1.0.0', 'Unlicense', 'CC0-1.0', 'MPL-2.0']

/** Read by hand, because the lock file does not say. */
export const exceptions: Readonly<Record<string, { licence: string; reason: string }>> = {
  buildcheck: { licence: 'MIT', reason: 'package.json has the older "licenses", which npm does not copy' },
  'cpu-features': { licence: 'MIT', reason: 'package.json has the older "licenses", which npm does not copy' },
  ssh2: { licence: 'MIT', reason: 'package.json has the older "licenses", which npm does not copy' },
}

export type LicenceRow = { licence: string; production: number; development: number }

/** How many packages there are under each licence, and what is wrong with which. */
export function checkLicences(packages: readonly Locked[]): { rows: LicenceRow[]; problems: string[] } {
  const guests = packages.filter(({ ours }) => !ours)
  return { rows: rowsOf(guests), problems: [...guests.flatMap(problemOf), ...needless(guests)] }
}

const licenceOf = ({ name, license }: Locked): string => license ?? exceptions[name]?.licence ?? 'unknown'

function problemOf(found: Locked): string[] {
  const licence = licenceOf(found)
  if (isAllowed(licence, found.development ? forTools : permissive)) return []
  return [`${found.name}@${found.version} (${found.development ? 'development' : 'production'}): ${licence}`]
}

/** Of alternatives one is enough, of a conjunction all must do. With brackets it is for a person to read. */
const isAllowed = (licence: string, allowed: readonly string[]) =>
  licence.split(' OR ').some((one) => one.split(' AND ').every((part) => allowed.includes(part)))

/** An exception that nothing needs any more would cover whatever takes the name next. */
function needless(guests: readonly Locked[]): string[] {
  const unnamed = new Set(guests.filter(({ license }) => license === undefined).map(({ name }) => name))
  return Object.keys(exceptions)
    .filter((name) => !unnamed.has(name))
    .map((name) => `${name}: needs no exception any more`)
}

function rowsOf(guests: readonly Locked[]): LicenceRow[] {
  const groups = Object.entries(Object.groupBy(guests, licenceOf))
  return groups
    .map(([licence, found = []]) => {
      const development = found.filter((guest) => guest.development).length
      return { licence, production: found.length - development, development }
    })
    .sort((a, b) => b.production - a.production || b.development - a.development)
}
