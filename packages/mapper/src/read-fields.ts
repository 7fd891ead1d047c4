import type { z } from 'zod'

/** Values that passed a door, or the name of the first field that did not. Never its value: what is refused may be a card
 * number in the wrong place, and refusals are logged and spoken. */
export type FieldsRead<Values> = { ok: true; values: Values } | { ok: false; field: string }

export function readFields<Values>(door: z.ZodType<Values>, fields: Record<string, unknown>): FieldsRead<Values> {
  const read = door.safeParse(fields)
  return read.success ? { ok: true, values: read.data } : { ok: false, field: String(read.error.issues[0]?.path[0]) }
}
