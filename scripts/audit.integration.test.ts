import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { repository } from './stack/service.ts'

/** A registry's door for `npm audit`: it is sent names and versions, and answers with what is known against the names. */
const ADVISORIES = '/-/npm/v1/security/advisories/bulk'

let advisories = 0
const against = (name: string, severity: string, range: string) => {
  advisories += 1 // npm keeps in its cache what it was told under a number
  const advisory = { url: `https://example.com/${name}`, title: `${name} is bad`, severity, vulnerable_versions: range }
  return { [name]: [{ id: advisories, ...advisory }] }
}
const minimist = against('minimist', 'critical', '<0.2.4')

type Ended = { code: number; out: string }

describe.concurrent('npm run audit', () => {
  let cache: string

  beforeAll(async () => {
    cache = await mkdtemp(join(tmpdir(), 'pay-audit-cache-'))
  })

  afterAll(() => rm(cache, { recursive: true }))

  const audit = (registry: string, ...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const { PATH, HOME } = process.env
      const env = { PATH, HOME, npm_config_registry: registry, npm_config_cache: cache }
      execFile(process.execPath, ['scripts/audit.ts', ...args], { cwd: repository, env }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout + stderr })
      })
    })

  it('counts what is less than high without showing it, and ends with 0', async () => {
    const { code, out } = await withRegistry({ ...minimist, ...against('express', 'moderate', '<999') }, audit)

    expect(out).toMatch(
      /^Runs with payments \(\d+ packages\): nothing high or critical, 1 lesser\nTools \(\d+ packages\): nothing high or critical\n$/,
    )
    expect(code).toBe(0)
  }, 60_000)

  it('names what is high, of payments and of tools apart, and ends with 1', async () => {
    const known = { ...minimist, ...against('express', 'high', '<999'), ...against('vitest', 'critical', '<999') }

    const { code, out } = await withRegistry(known, audit)

    expect(out).toMatch(
      /payments \(\d+ packages\): 1 high or critical\n {2}high express <999: express is bad\n.*\nTools/,
    )
    expect(out).toMatch(/Tools \(\d+ packages\): 1 high or critical\n {2}critical vitest <999: vitest is bad/)
    expect(code).toBe(1)
  }, 60_000)

  it.each([
    ['refuses to audit', undefined, /could not say: 405/],
    ['knows nothing against what is known to be bad', {}, /could not say: it knows nothing against minimist/],
  ])(
    'does not believe a registry that %s, and ends with 3',
    async (_, known, reason) => {
      const { code, out } = await withRegistry(known, audit)

      expect(out).toMatch(reason)
      expect(out).not.toContain('nothing high')
      expect(code).toBe(3)
    },
    60_000,
  )

  it('ends with 3 when no registry answers', async () => {
    const { code, out } = await audit('http://127.0.0.1:1/')

    expect(out).toMatch(/could not say: .*ECONNREFUSED/)
    expect(code).toBe(3)
  }, 60_000)

  it('explains itself, and ends with 2 when it does not understand', async () => {
    const nobody = 'http://127.0.0.1:1/'

    expect(await audit(nobody, '--help')).toMatchObject({ code: 0, out: expect.stringContaining('Exit code') })
    expect(await audit(nobody, '--hlep')).toMatchObject({ code: 2, out: expect.stringContaining('--help') })
  })
})

async function withRegistry<Result>(known: object | undefined, use: (url: string) => Promise<Result>): Promise<Result> {
  const server = createServer((request, response) => void answer(request, response, known))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return use(`http://127.0.0.1:${port}/`).finally(() => {
    server.closeAllConnections()
    server.close()
  })
}

async function answer(request: IncomingMessage, response: ServerResponse, known: object | undefined): Promise<void> {
  if (request.method === 'POST' && known === undefined) return void response.writeHead(405).end()
  if (request.url !== ADVISORIES) return void response.writeHead(404).end('{}')
  const sent = await buffer(request)
  const asked = JSON.parse(String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent))
  const found = Object.entries(known ?? {}).filter(([name]) => name in asked)
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(Object.fromEntries(found)))
}
