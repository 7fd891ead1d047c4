import { z } from 'zod'

const BYTES = 32

/** LEDGER_KEY: base64 of 32 random bytes. */
export const ledgerKey = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === BYTES && key.some((byte) => byte !== key[0]), {
    message: `must be base64 of ${BYTES} random bytes (make one with: openssl rand -base64 32)`,
  })
