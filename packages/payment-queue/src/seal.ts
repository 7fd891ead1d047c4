import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { SealKeys } from './seal-keys.ts'
import { keyOfSeries, NONCE_BYTES, nextInSeries, SERIES_ID_BYTES } from './seal-series.ts'

const REASONS = {
  NOT_SEALED: 'not a sealed text',
  UNKNOWN_KEY: 'sealed under a key that is not in SEAL_KEYS',
  ALTERED: 'altered, or sealed for something else',
  OTHER_VERSION: 'sealed by another version of this program',
} as const

/** Raised when a sealed text cannot be opened. Another process may have the key; this one cannot send what is in it. `code` is
 * for the log; nothing of the text, nor its key id, is part of it. */
export class CannotOpen extends Error {
  override name = 'CannotOpen'
  readonly retry = false

  readonly code: keyof typeof REASONS

  constructor(code: keyof typeof REASONS) {
    super(REASONS[code])
    this.code = code
  }
}

/** AES-256-GCM, `2.<key id>.<base64url of series, nonce, tag and ciphertext>`. `binding` (payment key, attempt, purpose) is
 * authenticated with it, so that a sealed text opens only for what it was sealed for. */
export function seal(plain: string, binding: string, keys: SealKeys): string {
  const { id, key, nonce } = nextInSeries(keys.first.key, binding)
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(binding))
  const plainBytes = Buffer.from(plain)
  const ciphertext = [cipher.update(plainBytes), cipher.final()]
  // Small buffers share their memory with others, which get it as it was left.
  plainBytes.fill(0)
  const bytes = Buffer.concat([id, nonce, cipher.getAuthTag(), ...ciphertext])
  return `${VERSION}.${keys.first.id}.${bytes.toString('base64url')}`
}

/** The plain text, or `CannotOpen`. */
export function open(sealed: string, binding: string, keys: SealKeys): string {
  const [version, id, text, ...rest] = sealed.split('.')
  const key = keys.all.get(id ?? '')
  if (version !== VERSION || text === undefined || rest.length > 0) throw new CannotOpen('NOT_SEALED')
  if (!key) throw new CannotOpen('UNKNOWN_KEY')
  const bytes = Buffer.from(text, 'base64url')
  // Decoding overlooks what is not base64url. A sealed text has one spelling: any other was altered.
  if (bytes.toString('base64url') !== text) throw new CannotOpen('NOT_SEALED')
  if (bytes.length < TEXT_AT) throw new CannotOpen('NOT_SEALED')
  return decipher(bytes, binding, key)
}

/** The id of the key under which a text was sealed; undefined where it is no sealed text. */
export const keyIdOf = (sealed: string): string | undefined => SEALED.exec(sealed)?.[1]

const VERSION = '2'
const SEALED = /^2\.([\w-]{1,32})\.[\w-]+$/
const ALGORITHM = 'aes-256-gcm'
const TAG_BYTES = 16
const TAG_AT = SERIES_ID_BYTES + NONCE_BYTES
const TEXT_AT = TAG_AT + TAG_BYTES

function decipher(bytes: Buffer, binding: string, ringKey: Buffer): string {
  const key = keyOfSeries(ringKey, bytes.subarray(0, SERIES_ID_BYTES))
  const nonce = bytes.subarray(SERIES_ID_BYTES, TAG_AT)
  const cipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(binding)).setAuthTag(bytes.subarray(TAG_AT, TEXT_AT))
  try {
    const plain = cipher.update(bytes.subarray(TEXT_AT))
    // Throws where the tag does not fit: nothing is read before.
    cipher.final()
    return plain.toString()
  } catch {
    throw new CannotOpen('ALTERED')
  }
}
