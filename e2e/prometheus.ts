import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { type Child, startChild } from '../scripts/process/child.ts'
import { onPort } from '../scripts/process/free-port.ts'

/** A real Prometheus with the configuration that we ship, but for where it finds the processes and how often it asks them. */
export type Prometheus = {
  /** What an instant query finds; rejects with Prometheus' own words where it does not understand it. */
  query: (asked: string) => Promise<{ metric: Record<string, string>; value: [number, string] }[]>
  /** What `/api/v1/<name>` has. */
  api: <T>(name: string) => Promise<T>
  stop: () => Promise<void>
}

/** The operators' ports of the processes, by job. */
export type Targets = Readonly<Record<'pay-gateway' | 'pay-worker', readonly string[]>>

type Configuration = { global: object; rule_files: string[]; scrape_configs: { job_name: keyof Targets }[] }

const SHIPPED = new URL('../deploy/observe/prometheus.yml', import.meta.url)
const START_LIMIT_MS = 20_000

export async function startPrometheus(targets: Targets, everyMs: number): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'pay-prometheus-'))
  const config = join(folder, 'prometheus.yml')
  await writeFile(config, stringify(rewritten(parse(await readFile(SHIPPED, 'utf8')), targets, everyMs)))
  const { child, url } = await onPort(undefined, (port) => start(port, config, folder)).catch(async (error) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })
  const api = <T>(name: string) => get<T>(`${url}/api/v1/${name}`)
  return {
    api,
    query: async (asked) => (await api<{ result: [] }>(`query?query=${encodeURIComponent(asked)}`)).result,
    async stop() {
      await child.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function rewritten({ rule_files, scrape_configs, ...rest }: Configuration, targets: Targets, everyMs: number) {
  const every = `${everyMs}ms`
  return {
    ...rest,
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: rule_files.map((path) => fileURLToPath(new URL(path, SHIPPED))),
    scrape_configs: scrape_configs.map(({ job_name }) => ({
      job_name,
      static_configs: [{ targets: targets[job_name].map((url) => new URL(url).host) }],
    })),
  }
}

async function start(port: number, config: string, folder: string): Promise<{ child: Child; url: string }> {
  const url = `http://127.0.0.1:${port}`
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ]
  const env = { PATH: process.env.PATH ?? '', GOMAXPROCS: '1' }
  const child = await startChild({ name: 'prometheus', program: 'prometheus', args, env })
  const deadline = Date.now() + START_LIMIT_MS
  while (child.isRunning() && Date.now() < deadline) {
    const isReady = await fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return { child, url }
    await sleep(50)
  }
  await child.stop(0)
  throw new Error(`Prometheus does not start:\n${child.lastLines()}`)
}

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url)
  const { status, error, data } = (await response.json()) as { status: string; error?: string; data: T }
  if (status !== 'success') throw new Error(`Prometheus: ${error}`)
  return data
}
