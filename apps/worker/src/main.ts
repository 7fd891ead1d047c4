import { helpText, readWorkerEnvironment, run, workerVariables } from '@pay/service'
import { startWorker } from './worker.ts'

const ABOUT = 'A worker: takes payments off the queue, sends them to PayConex and writes down what came of them.'

await run(
  () => startWorker(readWorkerEnvironment(process.env)),
  () => helpText(ABOUT, workerVariables),
)
