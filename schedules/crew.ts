import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Histogram, merge } from './histogram.ts'
import type { Report, Share } from './lane.ts'

const LANES = Math.max(1, Math.min(4, availableParallelism()))

/** Spreads the schedules over the cores, and puts what came of them together. */
export async function atWork(
  what: Omit<Share, 'lane' | 'lanes'>,
): Promise<Omit<Report, 'edges' | 'verdicts'> & { edges: Histogram; verdicts: Histogram }> {
  const reports = await Promise.all(Array.from({ length: LANES }, (_, lane) => report({ ...what, lane, lanes: LANES })))
  const edges: Histogram = new Map()
  const verdicts: Histogram = new Map()
  for (const one of reports) {
    merge(edges, one.edges)
    merge(verdicts, one.verdicts)
  }
  const sum = (name: 'done' | 'crashed' | 'restarted') => reports.reduce((total, one) => total + one[name], 0)
  return {
    done: sum('done'),
    crashed: sum('crashed'),
    restarted: sum('restarted'),
    ledgerSteps: reports.flatMap((one) => one.ledgerSteps).sort((left, right) => left - right),
    edges,
    verdicts,
    failure: reports.find(({ failure }) => failure)?.failure,
    found: reports.flatMap(({ found }) => found),
  }
}

function report(share: Share): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./lane.ts', import.meta.url), { workerData: share })
    worker.once('message', (said: Report) => {
      resolve(said)
      void worker.terminate()
    })
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('a lane ended without a report')))
  })
}
