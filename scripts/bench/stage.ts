import { together } from '../process/together.ts'
import { type Contender, type ContenderName, type ContenderOptions, startContender } from './contender.ts'
import { closedLoop } from './load.ts'
import { type Delays, type Payconex, startPayconex } from './payconex.ts'

export type StageOptions<Names extends readonly ContenderName[]> = Omit<ContenderOptions, 'payconexUrl'> & {
  names: Names
  delays?: Delays | undefined
}

type Started<Names extends readonly ContenderName[]> = { [Index in keyof Names]: Contender }

/** Starts a PayConex and some contenders for some work, and ends them however it ended. */
export async function onStage<const Names extends readonly ContenderName[], Found>(
  { names, delays, ...options }: StageOptions<Names>,
  work: (payconex: Payconex, ...contenders: Started<Names>) => Promise<Found>,
): Promise<Found> {
  const payconex = await startPayconex(delays)
  try {
    const contenders = await together(
      names.map((name) => startContender(name, { ...options, payconexUrl: payconex.url })),
    )
    try {
      return await work(payconex, ...(contenders as unknown as Started<Names>))
    } finally {
      await Promise.all(contenders.map((contender) => contender.stop()))
    }
  } finally {
    await payconex.stop()
  }
}

/** What the compiler finds out about a program that has just started it finds out from payments, however long they take. */
const WARM_PAYMENTS = 4_000
const WARM_LIMIT_SECONDS = 40

export async function warmUp({ client }: Contender, payments = WARM_PAYMENTS): Promise<void> {
  await closedLoop({ client, callers: 64, seconds: WARM_LIMIT_SECONDS, payments })
}

/** How many payments a second it makes, warm, with so many callers at once. */
export async function capacityOf({ client }: Contender, callers: number, seconds: number): Promise<number> {
  const { counts, seconds: took } = await closedLoop({ client, callers, seconds })
  return counts.approved / took
}
