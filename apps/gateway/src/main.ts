import { run } from '@pay/service'
import { readGatewayEnvironment } from './environment.ts'
import { startGateway } from './gateway.ts'

await run(() => startGateway(readGatewayEnvironment(process.env)))
