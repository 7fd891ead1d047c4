/** Raised where the arguments or the ledger cannot be used as they are. Its message says what to do. */
export class Unusable extends Error {
  override name = 'Unusable'
  readonly retry = false
}
