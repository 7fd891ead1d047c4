import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { SealKeys } from './seal-keys.ts'

/** Raised when a sealed text cannot be opened: unknown key id, altered, or sealed for something else. The payment was not
 * sent and cannot be; the text itself is never part of the message. */
export class CannotOpen extends Error {
  override name = 'CannotOpen'
  readonly retry = false
}

/** AES-256-GCM, `1.<key id>.<base64url of nonce, tag and ciphertext>`. `binding` (payment key, attempt, purpose) is
 * authenticated with it, so that a sealed text opens only for what it was sealed for. The key is derived per binding:
 * no number of payments can wear out the random nonces of one key (NIST SP 800-38D, 8.3). */
export function seal(plain: string, binding: string, keys: SealKeys): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, deriveKey(keys.first.key, binding), nonce)
  cipher.setAAD(Buffer.from(binding))
  const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return [VERSION, keys.first.id, Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64url')].join(
    '.',
  )
}

/** The plain text, or `CannotOpen`. */
export function open(sealed: string, binding: string, keys: SealKeys): string {
  const [version, id, text, ...rest] = sealed.split('.')
  const key = keys.all.get(id ?? '')
  if (version !== VERSION || text === undefined || rest.length > 0) throw new CannotOpen('not a sealed text')
  if (!key) throw new CannotOpen('sealed under a key that is not in SEAL_KEYS')
  const bytes = Buffer.from(text, 'base64url')
  // Decoding overlooks what is not base64url. A sealed text has one spelling: any other was altered.
  if (bytes.toString('base64url') !== text) throw new CannotOpen('not a sealed text')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new CannotOpen('not a sealed text')
  return decipher(bytes, binding, key)
}

const VERSION = '1'
const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

function decipher(bytes: Buffer, binding: string, key: Buffer): string {
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
  const cipher = createDecipheriv(ALGORITHM, deriveKey(key, binding), nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(binding)).setAuthTag(tag)
  try {
    return cipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + cipher.final('utf8')
  } catch {
    throw new CannotOpen('altered, or sealed for something else')
  }
}

const deriveKey = (key: Buffer, binding: string) => Buffer.from(hkdfSync('sha256', key, '', binding, 32))
