import type { SealKeys } from '@pay/payment-queue'

type Keys = { SEAL_KEYS: SealKeys; LEDGER_KEY: Buffer }

/** Keys that nobody made at random, or that have two uses, one line each: by their names, never by what they hold. */
export function weakKeys({ SEAL_KEYS, LEDGER_KEY }: Keys): string[] {
  const ring = [...SEAL_KEYS.all]
  return [
    ...ring.filter(([, key]) => !looksRandom(key)).map(([id]) => `SEAL_KEYS: ${id} ${NOT_RANDOM} -- new)`),
    ...(looksRandom(LEDGER_KEY) ? [] : [`LEDGER_KEY: ${NOT_RANDOM} -- ledger)`]),
    ...ring
      .filter(([, key]) => key.equals(LEDGER_KEY))
      .map(([id]) => `SEAL_KEYS: ${id} is the same key as LEDGER_KEY; each needs its own`),
  ]
}

const NOT_RANDOM = 'is not random (make one with: npm run keys'

/** No test can tell that bytes are random, but what people make up instead is easily told. Of keys that are random, all of these
 * together refuse one in a thousand millions. */
const looksRandom = (key: Buffer): boolean => !PATTERNS.some((isPattern) => isPattern(key))

const PATTERNS: readonly ((key: Buffer) => boolean)[] = [
  // One byte, or a few, over and over. 32 random bytes have some thirty values.
  (key) => new Set(key).size < 16,
  // Sixteen bytes, twice.
  (key) => key.subarray(0, 16).equals(key.subarray(16)),
  // Counted up or down.
  (key) => new Set(key.map((byte, nth) => byte - (key[nth - 1] ?? 0)).subarray(1)).size === 1,
  // A text: a passphrase, hexadecimal digits.
  (key) => key.every((byte) => byte >= 0x20 && byte < 0x7f),
  // Words where base64 should be.
  (key) => !/[A-Z]/.test(key.toString('base64')) || !/[a-z]/.test(key.toString('base64')),
]
