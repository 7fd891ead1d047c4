/** How a command ends: 0 done, 1 refused or not found, 2 unusable arguments, or nobody reached. */
export const EXIT = { done: 0, refused: 1, unusable: 2 } as const

/** Raised where what was asked for is not done, or not there. Its message says what to do instead. */
export class Refused extends Error {
  override name = 'Refused'
}

/** Raised where the arguments make no sense, or something is missing that the command needs. */
export class Unusable extends Error {
  override name = 'Unusable'
}
