import type { Clock } from '@pay/service'
import type { Metrics } from './metrics.ts'
import type { Payconex } from './payconex.ts'

export type TimeOptions = { clock: Pick<Clock, 'now'>; metrics: Pick<Metrics, 'asked'> }

/** The same PayConex, with each question timed and its answer counted. */
export function timePayconex(payconex: Payconex, { clock: { now }, metrics }: TimeOptions): Payconex {
  const timed =
    <Asked extends unknown[], Said extends { kind: string }>(name: string, ask: (...asked: Asked) => Promise<Said>) =>
    async (...asked: Asked): Promise<Said> => {
      const begunAt = now()
      const said = await ask(...asked)
      metrics.asked(name, said.kind, now() - begunAt)
      return said
    }
  return {
    reserve: timed('reserve', payconex.reserve),
    submit: timed('submit', payconex.submit),
    lookUp: timed('look up', payconex.lookUp),
    reverse: timed('reverse', payconex.reverse),
  }
}
