import type { PaymentRecord } from '@pay/ledger'
import type { Verdict } from '@pay/mapper'
import type { Oracle } from './oracle.ts'
import { type Order, requestOf } from './payment.ts'
import type { Gateway } from './processes.ts'
import { TRY_TIMEOUT_MS, times } from './times.ts'
import type { Step, World } from './world.ts'

/** One `<Pay>` of Twilio's: up to six tries of ten seconds, one after the other, until it hears something. */
export type Call = {
  nth: number
  order: Order
  /** So often it tries at most. */
  patience: number
  begunAt: number
  tries: number
  /** The attempts that its tries were admitted to. */
  attempts: Map<number, PaymentRecord>
  isOver: boolean
  hangUp: () => void
}

export type Callers = ReturnType<typeof createCallers>

export type CallersOptions = {
  world: World
  oracle: Oracle
  orders: readonly (Order & { tries: number })[]
  gateways: () => Gateway[]
}

export function createCallers({ world, oracle, orders, gateways }: CallersOptions) {
  const calls: Call[] = []

  function begin(): void {
    const order = orders[calls.length]
    if (!order) return
    const call: Call = {
      nth: calls.length + 1,
      order,
      patience: order.tries,
      begunAt: world.now(),
      tries: 0,
      attempts: new Map(),
      isOver: false,
      hangUp: () => undefined,
    }
    calls.push(call)
    tryNext(call)
  }

  function tryNext(call: Call): void {
    const isTired = call.tries >= call.patience || world.now() - call.begunAt >= times.listeningMs
    if (isTired) call.isOver = true
    if (call.isOver) return
    const happen = (_how: string, digit: number) => attempt(call, digit)
    const name = `caller ${call.nth} tries ${call.order.transactionId}`
    world.add({ kind: 'effect', process: undefined, name, at: world.now(), by: Number.POSITIVE_INFINITY, happen })
  }

  function attempt(call: Call, digit: number): void {
    call.tries += 1
    const open = gateways()
    const gateway = open[digit % open.length]
    if (!gateway) {
      again(call)
      return
    }
    const hungUp = new AbortController()
    oracle.calls(hungUp.signal, call)
    let isHeld = true
    const ended = (next: () => void) => {
      if (!isHeld) return
      isHeld = false
      world.remove(patience)
      next()
    }
    const hangUp = () => ended(() => hungUp.abort())
    const patience: Step = world.timer(undefined, `caller ${call.nth} hangs up`, TRY_TIMEOUT_MS, () =>
      ended(() => {
        hungUp.abort()
        tryNext(call)
      }),
    )
    call.hangUp = () => {
      call.isOver = true
      hangUp()
    }
    gateway.onCrash.push(() => ended(() => tryNext(call)))
    const hears = (verdict: Verdict | undefined) =>
      ended(() => {
        if (!verdict) return tryNext(call)
        call.isOver = true
        oracle.hears(call, verdict)
      })
    void gateway.pay({ ...requestOf(call.order), hungUp: hungUp.signal }).then(hears, (error: unknown) => {
      world.note(() => `    ${gateway.name} answers with an error: ${error}`)
      ended(() => tryNext(call))
    })
  }

  /** Nobody listens there at the moment. */
  function again(call: Call): void {
    world.timer(undefined, `caller ${call.nth} waits`, times.ledgerRetryMs, () => tryNext(call))
  }

  return {
    begin,
    hasMore: () => calls.length < orders.length,
    active: () => calls.filter(({ isOver }) => !isOver),
    calls,
  }
}
