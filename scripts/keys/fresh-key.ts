import { randomBytes } from 'node:crypto'

/** A key as LEDGER_KEY takes it. */
export const freshKey = (): string => randomBytes(32).toString('base64')

/** An entry of SEAL_KEYS. Named after the day, so that nobody has to remember how old it is. */
export const freshSealKey = (id = `k${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`): string =>
  `${id}:${freshKey()}`
