import { given } from './given.ts'
import { fold, passableName } from './parameter-names.ts'

/** Folded name, and value as it was said, in order; an empty value says nothing. */
export type Parameters = readonly (readonly [name: string, value: string])[]

export const toParameters = (values: Readonly<Record<string, string>>): Parameters =>
  Object.entries(given(values)).map(([name, value]) => [fold(name), value])

/** How parameters become PayConex fields: `taken` are fields already filled, which win, `readElsewhere` says that a parameter
 * has its effect in another way and is not a field of its own. */
export type PassRules = {
  extraParameters: readonly string[]
  taken: Readonly<Record<string, unknown>>
  readElsewhere: (name: string, value: string) => boolean
}

/** The parameters that are PayConex's, under PayConex's spelling. `dropped` counts the others: unknown, forbidden, said a
 * second time, or said by a field of the request itself. Of two spellings of one name the first wins. */
export function passOn(parameters: Parameters, rules: PassRules) {
  const fields = new Map<string, string>()
  let dropped = 0
  for (const [folded, value] of parameters) {
    if (rules.readElsewhere(folded, value)) continue
    const name = passableName(folded, rules.extraParameters)
    if (name === undefined || Object.hasOwn(rules.taken, name) || fields.has(name)) dropped += 1
    else fields.set(name, value)
  }
  return { fields: Object.fromEntries(fields), dropped }
}
