import { randomUUID } from 'node:crypto'

/** The tokens under which this worker owns payments, `<worker>.<nonce>`, from before a payment becomes its own until it is
 * done with it. */
export type Owners = ReturnType<typeof createOwners>

export function createOwners(worker: string) {
  const inHand = new Set<string>()
  return {
    /** Gives a fresh token to some work, and takes it back when the work has ended, however it ended. */
    async lend<T>(work: (owner: string) => Promise<T>): Promise<T> {
      const owner = `${worker}.${randomUUID()}`
      inHand.add(owner)
      try {
        return await work(owner)
      } finally {
        inHand.delete(owner)
      }
    },
    /** A token of this worker's that no work of its own has any more: a command that was thought lost made a payment its
     * own after all. Nobody else could ever take it over, because this worker lives. */
    isForgotten: (owner = '') => owner.startsWith(`${worker}.`) && !inHand.has(owner),
  }
}
