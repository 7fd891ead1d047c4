import { z } from 'zod'

const SPELLING = /^[A-Za-z0-9+/_-]{43}=?$/

/** LEDGER_KEY: base64 of 32 random bytes. Decoding alone would overlook what is no base64, and take most passphrases. */
export const ledgerKey = z
  .string()
  .refine((text) => SPELLING.test(text), {
    message: 'must be base64 of 32 random bytes (make one with: npm run keys -- ledger)',
  })
  .transform((text) => Buffer.from(text, 'base64'))
