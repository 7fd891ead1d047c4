/** JSON with the keys of every object in order, so that two texts of the same data are one text. Members whose name `isLeftOut`
 * are not part of it, wherever they stand. The data comes from `JSON.parse` with a limited depth; anything else (a function, a
 * cycle) is a bug of the caller. */
export function canonicalJson(value: unknown, isLeftOut: (name: string) => boolean = () => false): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((inner) => canonicalJson(inner, isLeftOut)).join(',')}]`
  const members = value as Record<string, unknown>
  const names = Object.keys(members)
    .filter((name) => !isLeftOut(name))
    .sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name], isLeftOut)}`).join(',')}}`
}
