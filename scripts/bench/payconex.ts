import { type Server, startServer } from './server.ts'

export type Delays = { saleMs: number; reserveMs: number }

export type Payconex = Server & {
  /** How long its answers take from now on. */
  delay: (delays: Delays) => Promise<void>
}

/** The stub of PayConex (contenders/stub.ts), a process of its own that is not counted. */
export async function startPayconex(delays: Delays = { saleMs: 0, reserveMs: 0 }): Promise<Payconex> {
  const server = await startServer({ name: 'stub', file: 'scripts/bench/contenders/stub.ts', env: {} })
  const delay = async ({ saleMs, reserveMs }: Delays) => {
    await fetch(`${server.url}/delays?sale=${saleMs}&reserve=${reserveMs}`, { method: 'POST' })
  }
  await delay(delays)
  return { ...server, delay }
}
