import { helpText, run } from '@pay/service'
import { readGatewayEnvironment, variables } from './environment.ts'
import { startGateway } from './gateway.ts'

const ABOUT = "The gateway: takes Twilio's payments and answers them."

await run(
  () => startGateway(readGatewayEnvironment(process.env)),
  () => helpText(ABOUT, variables),
)
