import { describe, expect, it } from 'vitest'
import { type Admission, admissible, type Sky } from './admission.ts'

const times = { sendByMs: 20_000, weatherLeaseMs: 5000 }

/** Two workers with room for 100 payments of one second each, so 1500 waiting jobs are 15 s: the longest that is believed. */
const fair = {
  gateways: 2,
  workers: 2,
  concurrency: 100,
  busy: 40,
  meanServiceMs: 1000,
  allCircuitsOpen: false,
  waitingJobs: 0,
}

type Changes = Partial<typeof fair> & Partial<Omit<Sky, 'weather'>>

const decide = ({ noWorkerForMs = 0, queuedSince = 0, lane = { waiting: 0, atOnce: 50 }, ...weather }: Changes) =>
  admissible({ weather: { ...fair, ...weather }, noWorkerForMs, queuedSince, lane }, times)

describe('a new payment', () => {
  it.each<[string, Admission, Changes]>([
    ['goes when there is room', 'go', {}],
    ['goes when all are busy and nobody waits', 'go', { busy: 100 }],
    ['goes when its turn will come in time', 'go', { waitingJobs: 1500 }],
    ['is refused when its turn would come too late', 'queue too long', { waitingJobs: 1501 }],
    ['waits half as long with twice the workers', 'go', { waitingJobs: 3000, concurrency: 200 }],
    ['waits twice as long when PayConex is half as fast', 'queue too long', { waitingJobs: 751, meanServiceMs: 2000 }],
    ['goes when the workers have not done a job yet', 'go', { waitingJobs: 9999, meanServiceMs: 0 }],
    ['sees what was queued since, here and elsewhere', 'queue too long', { waitingJobs: 1400, queuedSince: 51 }],
    ['goes when what was queued since is little', 'go', { waitingJobs: 1400, queuedSince: 50 }],
    ['is refused when no worker reaches PayConex', 'circuit open', { allCircuitsOpen: true }],
    ['goes when the last worker was seen a moment ago', 'go', { workers: 0, concurrency: 0, noWorkerForMs: 4999 }],
    ['is refused when there is no worker', 'no worker', { workers: 0, concurrency: 0, noWorkerForMs: 5000 }],
    ['goes when its account waits not too long', 'go', { lane: { waiting: 750, atOnce: 50 } }],
    ['is refused when its account waits too long', 'account busy', { lane: { waiting: 751, atOnce: 50 } }],
    ['waits for the queue after its account', 'account busy', { waitingJobs: 100, lane: { waiting: 701, atOnce: 50 } }],
    ['goes when its account has no limit', 'go', { lane: { waiting: 0, atOnce: Number.POSITIVE_INFINITY } }],
    [
      'goes when no circuit is known because there is no worker',
      'go',
      { workers: 0, concurrency: 0, waitingJobs: 9999 },
    ],
  ])('%s', (_name, decision, changes) => {
    expect(decide(changes)).toBe(decision)
  })

  it('goes while the weather is not known', () => {
    const lane = { waiting: 9999, atOnce: 1 }

    expect(admissible({ weather: undefined, noWorkerForMs: 9999, queuedSince: 9999, lane }, times)).toBe('go')
  })
})
