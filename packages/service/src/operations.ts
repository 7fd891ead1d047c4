import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'

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
  const pages: Record<string, () => Promise<Page> | Page> = {
    '/livez': () => text(200, 'alive'),
    '/readyz': () => (problems().length === 0 ? text(200, 'ready') : text(503, `not ready: ${problems().join(', ')}`)),
    '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() }),
  }
  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://operations').pathname
    const page = (await pages[path]?.()) ?? text(404, 'not found')
    response.writeHead(page.status, { 'content-type': page.type }).end(page.body)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return server
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port

const text = (status: number, body: string): Page => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` })
