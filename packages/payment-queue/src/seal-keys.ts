import { z } from 'zod'

/** The ring of keys: the first seals, all open, so that a key can be changed while payments are under way. */
export type SealKeys = { first: { id: string; key: Buffer }; all: ReadonlyMap<string, Buffer> }

const KEY_BYTES = 32
const ENTRY = /^([\w-]{1,32}):([A-Za-z0-9+/_-]+={0,2})$/

/** SEAL_KEYS: `kid:base64(32 bytes)[,kid2:...]`, in a file also one a line, so that a key is added as a line at its end. */
export const sealKeys = z.string().transform((text, context): SealKeys => {
  const entries = text.split(/[,\n]/).map((entry) => ENTRY.exec(entry.trim()))
  const keys = entries.map((entry) => ({ id: entry?.[1] ?? '', key: Buffer.from(entry?.[2] ?? '', 'base64') }))
  const [first] = keys
  const problem = problemOf(keys)
  if (first && !problem) return { first, all: new Map(keys.map(({ id, key }) => [id, key])) }
  context.addIssue({ code: 'custom', message: problem ?? FORM })
  return z.NEVER
})

const FORM = `must be kid:base64(${KEY_BYTES} random bytes)[,kid2:...] (make one with: npm run keys -- new)`

function problemOf(keys: readonly { id: string; key: Buffer }[]): string | undefined {
  if (keys.some(({ id, key }) => id === '' || key.length !== KEY_BYTES)) return FORM
  if (new Set(keys.map(({ id }) => id)).size < keys.length) return 'two keys have the same id'
  if (new Set(keys.map(({ key }) => key.toString('hex'))).size < keys.length) return 'two ids have the same key'
  return undefined
}
