import { createHash, timingSafeEqual } from 'node:crypto'
import { type Credentials, Secret } from '@pay/mapper'

/** Step 1. Basic user and password are PayConex' account id and API access key, passed through: nothing is stored here to
 * compare them with, PayConex judges them. What can be judged at the door is their form and the list of allowed
 * accounts. Undefined: answer 401. */
export function readCredentials(
  header: string | undefined,
  allowedAccounts: readonly string[],
): Credentials | undefined {
  const encoded = BASIC.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const [, accountId, accessKey] = PAIR.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
  if (accountId === undefined || accessKey === undefined) return undefined
  return isAllowed(accountId, allowedAccounts) ? { accountId, accessKey: new Secret(accessKey) } : undefined
}

const BASIC = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i

// PayConex documents 12 digits and 32 letters or digits (notes of QSAPI 3.8); others are PayConex' to refuse, as long as
// they can travel in a form field. Only what looks like a secret in the wrong field is refused here, because an account id is
// kept in clear: digits as long as a card number, or an access key where somebody has mixed up the two fields.
const PAIR = /^(?!\d{13,19}:|[A-Za-z\d]{32}:)([\w.@-]{1,64}):([\x21-\x7e]{1,256})$/

/** Compares every account in the same time, so that the list cannot be guessed letter by letter. */
function isAllowed(accountId: string, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true
  const given = digest(accountId)
  return allowed.map((account) => timingSafeEqual(digest(account), given)).includes(true)
}

const digest = (text: string) => createHash('sha256').update(text).digest()
