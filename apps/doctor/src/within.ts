import { reasonOf, SECOND } from '@pay/service'
import { type Finding, notChecked, wrong } from './finding.ts'

const LATE = Symbol('late')

/** The work's result, or `undefined` when it takes longer. What it does then is nobody's business any more. */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(resolve, ms, LATE)
  })
  work.catch(() => undefined)
  try {
    const result = await Promise.race([work, late])
    return result === LATE ? undefined : result
  } finally {
    clearTimeout(timer)
  }
}

/** One thing that is looked at on a server, with a limit. What our user may not do there is not checked; a server that stays silent
 * is wrong. */
export async function look(name: string, ms: number, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    const found = await within(ms, Promise.resolve().then(work))
    return (
      found ?? [wrong(name, `no answer within ${ms / SECOND} s`, 'look at the load of that server and at the network')]
    )
  } catch (error) {
    const [word, command = ''] = refusedIn(error)
    if (word) return [notChecked(name, `its user may not ask (${command})`)]
    return [
      notChecked(
        name,
        `it could not be asked (${reasonOf(error)})`,
        'run it again; if it stays so, look at the server’s log',
      ),
    ]
  }
}

/** What Redis says of a command that a user may not call. */
function refusedIn(error: unknown): [boolean, string?] {
  if (!(error instanceof Error) || !error.message.startsWith('NOPERM')) return [false]
  return [true, /'([\w|]+)' command/.exec(error.message)?.[1] ?? 'a key']
}
