import { delayFences, spoil } from './break-path.ts'
import { sulk } from './break-payconex.ts'
import { killPlayers, killRedis, pausePlayers, pauseRedis, removeWorkers } from './break-process.ts'
import type { Break, Lasts } from './scene.ts'

export type Act = {
  kind: string
  /** How often it comes, beside the others. */
  weight: number
  /** A payment begun that long after it, in ms by the clock, may still feel it: connections are made again, dead ones are
   * found out (a heartbeat every 500 ms, a command's limit of 2 s), a silent worker's payments are taken over. */
  echoMs: number
  lasts: Lasts
  run: Break
}

const SHORT = [0.2, 1] as const
const LONG = [0.4, 3] as const

/** Every kind of fault the nemesis knows, besides those that PayConex keeps for single payments. */
export const acts: readonly Act[] = [
  { kind: 'kill_worker', weight: 3, echoMs: 1_500, lasts: LONG, run: killPlayers('workers') },
  { kind: 'kill_gateway', weight: 3, echoMs: 1_500, lasts: LONG, run: killPlayers('gateways') },
  { kind: 'stop_worker', weight: 1, echoMs: 1_500, lasts: LONG, run: pausePlayers('workers') },
  { kind: 'stop_gateway', weight: 1, echoMs: 1_500, lasts: LONG, run: pausePlayers('gateways') },
  { kind: 'workers_gone', weight: 1, echoMs: 1_500, lasts: LONG, run: removeWorkers },
  { kind: 'kill_queue', weight: 1, echoMs: 2_500, lasts: SHORT, run: killRedis('queue') },
  { kind: 'kill_ledger', weight: 1, echoMs: 2_500, lasts: SHORT, run: killRedis('ledger') },
  { kind: 'stop_queue', weight: 1, echoMs: 2_500, lasts: LONG, run: pauseRedis('queue') },
  { kind: 'stop_ledger', weight: 1, echoMs: 2_500, lasts: LONG, run: pauseRedis('ledger') },
  { kind: 'cut_gateway_queue', weight: 1, echoMs: 3_500, lasts: LONG, run: spoil('gateways', 'queue', 'cut') },
  { kind: 'cut_gateway_ledger', weight: 1, echoMs: 3_500, lasts: LONG, run: spoil('gateways', 'ledger', 'cut') },
  { kind: 'cut_worker_queue', weight: 1, echoMs: 3_500, lasts: LONG, run: spoil('workers', 'queue', 'cut') },
  { kind: 'cut_worker_ledger', weight: 1, echoMs: 3_500, lasts: LONG, run: spoil('workers', 'ledger', 'cut') },
  { kind: 'cut_worker_payconex', weight: 1, echoMs: 5_000, lasts: LONG, run: spoil('workers', 'payconex', 'cut') },
  { kind: 'slow_gateway_queue', weight: 1, echoMs: 1_500, lasts: LONG, run: spoil('gateways', 'queue', 'slow') },
  { kind: 'slow_gateway_ledger', weight: 1, echoMs: 1_500, lasts: LONG, run: spoil('gateways', 'ledger', 'slow') },
  { kind: 'slow_worker_queue', weight: 1, echoMs: 1_500, lasts: LONG, run: spoil('workers', 'queue', 'slow') },
  { kind: 'slow_worker_ledger', weight: 1, echoMs: 1_500, lasts: LONG, run: spoil('workers', 'ledger', 'slow') },
  { kind: 'slow_worker_payconex', weight: 1, echoMs: 1_500, lasts: LONG, run: spoil('workers', 'payconex', 'slow') },
  { kind: 'payconex_for_all', weight: 2, echoMs: 1_500, lasts: LONG, run: sulk },
]

/** For a run without the comparison of the attempt. */
export const lateFences: Act = {
  kind: 'cut_worker_ledger',
  weight: 1,
  echoMs: 1_500,
  lasts: LONG,
  run: delayFences,
}
