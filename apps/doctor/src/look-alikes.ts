/** A variable that nobody reads, and the one that was probably meant. */
export type LookAlike = { name: string; meant?: string }

/** Names that begin like ours, and that a container's platform makes by itself (`QUEUE_SERVICE_HOST`, `LEDGER_PORT_6379_TCP`). */
const OURS = /^(PAYCONEX|LEDGER|QUEUE|SEAL|OPS|CARD_TESTING|BAD_CREDENTIALS|DOCTOR)_/
const PLATFORM = /_SERVICE_(HOST|PORT)|_PORT(_\d+_(TCP|UDP).*)?$|^(LEDGER|QUEUE)_(NAME|ENV_.*)$/

/** What is set and looks like a variable of ours, but is none: a misspelt name is otherwise overlooked in silence. */
export function lookAlikes(env: Readonly<Record<string, string | undefined>>, known: readonly string[]): LookAlike[] {
  const all = new Set(known.flatMap((name) => [name, `${name}_FILE`]))
  const set = Object.keys(env).filter((name) => env[name] && !all.has(name))
  return set.flatMap((name) => {
    const meant = nearest(name, known)
    if (meant !== undefined) return [{ name, meant }]
    return OURS.test(name) && !PLATFORM.test(name) ? [{ name }] : []
  })
}

function nearest(name: string, known: readonly string[]): string | undefined {
  const spelled = plain(name)
  const near = known
    .map((other) => ({ other, far: distance(spelled, plain(other)) }))
    .filter(({ other, far }) => far <= tolerance(other))
  return near.sort((one, other) => one.far - other.far)[0]?.other
}

/** Short names are near to too much that is not ours: HOME, TERM. */
const tolerance = (name: string) => (name.length < 6 ? 0 : name.length < 10 ? 1 : 2)

const plain = (name: string) => name.toUpperCase().replace(/[_-]/g, '')

/** How many letters were added, left out, changed or (as two) swapped. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, nth) => nth)
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1]
    for (const [j, wanted] of [...other].entries()) {
      const changed = (row[j] ?? 0) + (letter === wanted ? 0 : 1)
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
