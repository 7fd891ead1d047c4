/** Why something could not be looked at, in our own words. */
export class CannotLook extends Error {}

/** The reason as it may be printed: our own words, or the code of the system or of Redis. Their words may quote what they are
 * about. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be read'
  if (error instanceof CannotLook) return error.message
  const { code } = error as NodeJS.ErrnoException
  return code ?? /^[A-Z]{3,}\b/.exec(error.message)?.[0] ?? KNOWN.find((known) => error.message === known) ?? error.name
}

const KNOWN = ['Command timed out', 'Connection is closed.']
