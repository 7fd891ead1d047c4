import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { listen } from './listen.ts'

export type OperationsOptions = {
  port: number
  host: string
  /** What stands in the way of serving, by name; empty when ready. */
  problems: () => readonly string[]
  metrics: Registry
}

type Page = { status: number; type: string; body: string }

/** The operators' door, on its own port: `/livez` (the process runs; no dependency is asked), `/readyz` (it can serve;
 * otherwise 503 and what is missing) and `/metrics` (Prometheus). Listens before it returns. */
export async function startOperations({ port, host, problems, metrics }: OperationsOptions): Promise<Server> {
  const pages = new Map<string | undefined, () => Promise<Page> | Page>([
    ['/livez', () => text(200, 'alive')],
    ['/readyz', () => readiness(problems())],
    ['/metrics', async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() })],
  ])
  const server = createServer(async (request, response) => {
    const [path] = (request.url ?? '').split('?')
    const page = await pageOf(pages.get(path))
    response.writeHead(page.status, { 'content-type': page.type }).end(page.body)
  })
  await listen(server, { port, host, variable: 'OPS_PORT' })
  return server
}

/** A page that fails must not end the process: nobody would catch what is thrown here. */
async function pageOf(write: (() => Promise<Page> | Page) | undefined): Promise<Page> {
  if (!write) return text(404, 'not found')
  try {
    return await write()
  } catch {
    return text(500, 'error')
  }
}

const readiness = (problems: readonly string[]) =>
  problems.length === 0 ? text(200, 'ready') : text(503, `not ready: ${problems.join(', ')}`)

export const portOf = (server: Server): number => (server.address() as AddressInfo).port

const text = (status: number, body: string): Page => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` })
