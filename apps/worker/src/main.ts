import { helpText, run } from '@pay/service'
import { readWorkerEnvironment, variables } from './environment.ts'
import { startWorker } from './worker.ts'

const ABOUT = 'A worker: takes payments off the queue, sends them to PayConex and writes down what came of them.'

await run(
  () => startWorker(readWorkerEnvironment(process.env)),
  () => helpText(ABOUT, variables),
)
