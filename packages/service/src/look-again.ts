import { reasonOf } from './log.ts'

export type LookAgainOptions = {
  /** Answers what is wrong, or undefined when all is well. What it throws is wrong, too. */
  look: () => Promise<string | undefined>
  everyMs: number
  /** Told of each problem once, until it is another one or all was well in between. */
  onProblem: (problem: string) => void
}

/** Looks at something every so often, never twice at once, for instance at files that may be replaced. They are read anew rather
 * than watched, because they are replaced in many ways: written, moved, linked. Returns how to stop. */
export function lookAgain({ look, everyMs, onProblem }: LookAgainOptions): () => void {
  let said: string | undefined
  let isLooking = false

  const timer = setInterval(async () => {
    if (isLooking) return
    isLooking = true
    const problem = await look().catch(reasonOf)
    if (problem !== undefined && problem !== said) onProblem(problem)
    said = problem
    isLooking = false
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}
