import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Gauge, type Registry } from 'prom-client'
import about from '../package.json' with { type: 'json' }
import { listen } from './listen.ts'
import { SAFE_HEADERS } from './safe-headers.ts'

export type OperationsOptions = {
  port: number
  host: string
  /** What stands in the way of serving, by name; empty when ready. */
  problems: () => readonly string[]
  /** What is missing for some payments while others are served: said, and no reason to take no others. */
  partly?: () => readonly string[]
  metrics: Registry
  /** More pages, by path: what is to be read of this process as JSON. */
  documents?: Readonly<Record<string, unknown>>
}

type Page = { status: number; type: string; body: string }

/** The operators' door, on its own port: `/livez` (the process runs; no dependency is asked), `/readyz` (it can serve;
 * otherwise 503 and what is missing), `/metrics` (Prometheus) and what `documents` has. Listens before it returns. */
export async function startOperations(options: OperationsOptions): Promise<Server> {
  const { port, host, problems, partly = () => [], metrics, documents = {} } = options
  const pages = new Map<string | undefined, () => Promise<Page> | Page>([
    ['/livez', () => text(200, 'alive')],
    ['/readyz', () => readiness(problems(), partly())],
    ['/metrics', async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() })],
    ...Object.entries(documents).map(([path, document]) => [path, () => json(document)] as const),
  ])
  showProblems(metrics, () => [...problems(), ...partly()])
  showBuild(metrics)
  const server = createServer(async (request, response) => {
    const [path] = (request.url ?? '').split('?')
    const page = await pageOf(pages.get(path))
    response.writeHead(page.status, { ...SAFE_HEADERS, 'Content-Type': page.type }).end(page.body)
  })
  await listen(server, { port, host, variable: 'OPS_PORT' })
  return server
}

/** What `/readyz` names, for whoever is to be told of it. */
function showProblems(metrics: Registry, problems: OperationsOptions['problems']): void {
  new Gauge({
    name: 'pay_problem',
    help: '1 for each thing that stands in the way of serving right now',
    labelNames: ['problem'],
    registers: [metrics],
    collect() {
      this.reset()
      for (const problem of problems()) this.set({ problem }, 1)
    },
  })
}

/** All parts have one version. */
function showBuild(metrics: Registry): void {
  const build = new Gauge({
    name: 'pay_build_info',
    help: 'Always 1; which version of this program runs',
    labelNames: ['version'],
    registers: [metrics],
  })
  build.set({ version: about.version }, 1)
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

function readiness(problems: readonly string[], partly: readonly string[]): Page {
  if (problems.length > 0) return text(503, `not ready: ${[...problems, ...partly].join(', ')}`)
  return text(200, partly.length > 0 ? `ready, but not for ${partly.join(', ')}` : 'ready')
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port

const json = (document: unknown): Page => ({
  status: 200,
  type: 'application/json',
  body: JSON.stringify(document),
})

const text = (status: number, body: string): Page => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` })
