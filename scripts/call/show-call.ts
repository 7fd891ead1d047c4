import { styleText } from 'node:util'
import { masked } from './masked.ts'
import { toPayAction } from './pay-action.ts'
import { type Answered, type Body, isNobodyThere, type Try } from './play-twilio.ts'

/* How a call looks in a terminal: the request without its secrets, each try, and what Twilio makes of the answer. */

export function showRequest({ url, user, body }: { url: string; user: string; body: Body }): string {
  const json = JSON.stringify(masked(body), undefined, 2)
  return `${styleText('bold', `POST ${url}`)}\n${styleText('dim', `as account ${user}`)}\n${json}`
}

export function showTry(attempt: Try, number: number): string {
  const time = styleText('dim', `${(attempt.ms / 1_000).toFixed(3)} s`)
  return `try ${number}  ${time}  ${describe(attempt)}`
}

function describe(attempt: Try): string {
  if (attempt.kind === 'silence') return styleText('yellow', 'no answer')
  if (attempt.kind === 'broken') return styleText('red', `the connection failed (${attempt.code})`)
  return `${attempt.status}  ${attempt.text}`
}

export function showAnswer(answer: Answered): string {
  const action = Object.entries(toPayAction(answer))
  const lines = action.map(([name, value]) => `  ${name.padEnd(25)}${name === 'Result' ? coloured(value) : value}`)
  return [styleText('bold', "What <Pay>'s action is told"), ...lines].join('\n')
}

const coloured = (result: string) => styleText(result === 'success' ? 'green' : 'red', result)

/** Why a call got no answer, and what to do about it. */
export function showNoAnswer(tries: readonly Try[], url: string): string {
  const [first] = tries
  if (first && isNobodyThere(first)) return `Nothing listens on ${new URL(url).host}. Start it with: npm start`
  return `No answer in ${tries.length} ${tries.length === 1 ? 'try' : 'tries'}: Twilio gives up here.`
}
