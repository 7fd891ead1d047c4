import { gatewayVariables, helpText, readGatewayEnvironment, run } from '@pay/service'
import { startGateway } from './gateway.ts'

const ABOUT = "The gateway: takes Twilio's payments and answers them."

await run(
  () => startGateway(readGatewayEnvironment(process.env)),
  () => helpText(ABOUT, gatewayVariables),
)
