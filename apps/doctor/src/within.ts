import { isRefusal } from '@pay/payment-queue'
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

/** One thing that is looked at on a server, with a limit. What our user may not do there, or the server does not know, is not checked;
 * one that says nothing, or refuses for another reason, is wrong. */
export async function look(name: string, ms: number, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    const found = await within(ms, Promise.resolve().then(work))
    return found ?? [wrong(name, `no answer within ${ms / SECOND} s`, REMEDY)]
  } catch (error) {
    if (!isRefusal(error)) {
      return [wrong(name, `no answer (${saidBy(error)})`, REMEDY)]
    }
    const [word] = error.message.split(' ')
    const forbidden = /'([\w|]+)' command/.exec(error.message)?.[1] ?? 'a key'
    if (word === 'NOPERM') return [notChecked(name, `its user may not ask (${forbidden})`)]
    if (error.message.includes('unknown command')) return [notChecked(name, 'it hides the command')]
    return [wrong(name, `it refuses (${word})`, REMEDY)]
  }
}

/** The client's own words say more than the class of its errors, and quote nothing. */
const saidBy = (error: unknown): string =>
  (error instanceof Error && CLIENT.find((words) => error.message.startsWith(words))) || reasonOf(error)

const CLIENT = ['Connection is closed', 'Command timed out', "Stream isn't writeable"]

const REMEDY = 'look at its log, its load and the network, then look again'
