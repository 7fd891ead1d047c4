import { createSimulator } from './app.ts'

const HELP = `payconex-simulator: a stand-in for Bluefin PayConex (QSAPI and TSAPI 3.8)

  PORT  where to listen (default 8081; 0 for any free port)
  HOST  on which address (default 127.0.0.1)

Open / in a browser for the ledger, /_sim for the control interface.
`

if (process.argv.includes('--help')) {
  process.stdout.write(HELP)
} else {
  await serve(Number(process.env.PORT || 8081), process.env.HOST || '127.0.0.1')
}

async function serve(port: number, host: string) {
  try {
    const { url } = await createSimulator().listen(port, host)
    process.stdout.write(`payconex-simulator listening on ${url}\n`)
    // At once, as documented: whoever depends on us must survive that we vanish in the middle of an answer.
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0))
  } catch (error) {
    process.stderr.write(`payconex-simulator cannot listen: ${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}
