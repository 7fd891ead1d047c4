/** Times at which late approvals come soon, to be taken at a tenth: SEND_BY 1.5 s, PayConex 1 s, ANSWER_BY 2.5 s, nobody listens
 * after 3 s, and an absence is proven 1.4 s after a send and again 0.5 s later. */
export const TIME_SCALE = 0.1
export const TRIES = 3
export const SHORT_TIMES = {
  SEND_BY_MS: '15000',
  PAYCONEX_TIMEOUT_MS: '10000',
  ANSWER_BY_MS: '25000',
  TRIES: String(TRIES),
  ABSENCE_MARGIN_MS: '4000',
  REPEAT_AFTER_MS: '5000',
  LATE_APPROVAL: 'reverse',
}
