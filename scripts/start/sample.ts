import { styleText } from 'node:util'
import { example } from '../call/body.ts'
import { testAccount } from '../call/options.ts'
import { toPayAction } from '../call/pay-action.ts'
import { call } from '../call/play-twilio.ts'
import { showAnswer, showNoAnswer, showRequest, showTry } from '../call/show-call.ts'
import type { Stack } from '../stack/stack.ts'

/** Sends the documented charge as Twilio would, under a transaction_id of its own, and shows what comes back. True when it
 * was approved. */
export async function sendSample({ gateways }: Stack): Promise<boolean> {
  const url = gateways[0]?.endpoint ?? ''
  const body = await example('charge-card')
  console.log(styleText('bold', 'A sample charge, as Twilio sends it'))
  console.log(`${showRequest({ url, user: testAccount.user, body })}\n`)
  const onTry = (...attempt: Parameters<typeof showTry>) => console.log(showTry(...attempt))
  const { answer, tries } = await call({ url, body, credentials: testAccount, onTry })
  console.log(`\n${answer ? showAnswer(answer) : showNoAnswer(tries, url)}\n`)
  return answer !== undefined && toPayAction(answer).Result === 'success'
}
