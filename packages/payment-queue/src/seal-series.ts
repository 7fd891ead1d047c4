import { createSecretKey, hash, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'

/** A series of sealed texts: those that one process seals under one key of the ring, 2^20 of them at most. It has a random id, which
 * each of its texts carries, and a key of its own, which whoever has the ring finds again by that id. */
type Series = { id: Buffer; key: KeyObject; secret: string; texts: number }

/** What the next text is sealed with. */
export function nextInSeries(ringKey: Buffer, binding: string): { id: Buffer; key: KeyObject; nonce: Buffer } {
  const series = currentSeries(derivedFrom(ringKey), ringKey)
  series.texts += 1
  return { id: series.id, key: series.key, nonce: nonceOf(series, binding) }
}

/** 96 bits of a hash, so it is like a random one: of 2^20, two are alike with a probability of 2^-57 (NIST SP 800-38D, 8.3, allows
 * 2^-32). What the text is for is part of the hash: where the memory of a process is copied, a machine saved once and resumed twice,
 * the copies seal different payments under different nonces. */
export const nonceOf = ({ secret, texts }: Pick<Series, 'secret' | 'texts'>, binding: string): Buffer =>
  hash('sha256', `${secret}.${texts}.${binding}`, 'buffer').subarray(0, NONCE_BYTES)

/** The key of the series with this id. Those last used are kept, so that it is not derived for each text. */
export function keyOfSeries(ringKey: Buffer, id: Buffer): KeyObject {
  const { opening } = derivedFrom(ringKey)
  const name = id.toString('base64url')
  const key = opening.get(name) ?? derive(ringKey, id)
  // Deleted first, so that it stands last: the first is the one that was not used for the longest time.
  opening.delete(name)
  opening.set(name, key)
  const [oldest = name] = opening.keys()
  if (opening.size > SERIES_KEPT) opening.delete(oldest)
  return key
}

export const SERIES_ID_BYTES = 18
export const NONCE_BYTES = 12
const TEXTS_IN_SERIES = 2 ** 20
// Each gateway has one; more are opened where payments are asked about for days.
const SERIES_KEPT = 256

type Derived = { sealing?: Series; opening: Map<string, KeyObject> }

/** By key of the ring; it goes when the ring is replaced. */
const derivedKeys = new WeakMap<Buffer, Derived>()

function derivedFrom(ringKey: Buffer): Derived {
  const found = derivedKeys.get(ringKey)
  if (found) return found
  const made: Derived = { opening: new Map() }
  derivedKeys.set(ringKey, made)
  return made
}

function currentSeries(derived: Derived, ringKey: Buffer): Series {
  if (derived.sealing && derived.sealing.texts < TEXTS_IN_SERIES) return derived.sealing
  const id = randomBytes(SERIES_ID_BYTES)
  derived.sealing = { id, key: derive(ringKey, id), secret: randomBytes(16).toString('base64url'), texts: 0 }
  return derived.sealing
}

/** HKDF-SHA-256 (RFC 5869), without a salt: the id is what the key is for, and comes with a text that anybody may have written. */
const derive = (ringKey: Buffer, id: Buffer): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', ringKey, '', Buffer.concat([PURPOSE, id]), 32)))

const PURPOSE = Buffer.from('sealed text v2')
