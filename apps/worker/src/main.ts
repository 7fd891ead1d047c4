import { run } from '@pay/service'
import { readWorkerEnvironment } from './environment.ts'
import { startWorker } from './worker.ts'

await run(() => startWorker(readWorkerEnvironment(process.env)))
