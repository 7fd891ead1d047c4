import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { createTimes, readGatewayEnvironment, SECOND } from '../packages/service/src/index.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')

const seconds = z
  .string()
  .regex(/^\d+s$/)
  .transform((text) => Number.parseInt(text, 10) * SECOND)
const service = z.object({
  stop_grace_period: seconds.default(10 * SECOND),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
  deploy: z.object({
    replicas: z.number().default(1),
    resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string(), pids: z.number() }) }),
  }),
})
const { services, networks } = z
  .object({
    services: z.record(z.string(), service),
    networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) }).nullable()),
  })
  .parse(parse(read('../docker-compose.yml'), { merge: true }))

function named(name: string) {
  const found = services[name]
  if (!found) throw new Error(`there is no service ${name}`)
  return found
}

const graceMs = (name: string) => named(name).stop_grace_period

const proxy = read('proxy/haproxy.cfg')
const setting = (name: string) => new RegExp(`^ +${name} +(.+)$`, 'm').exec(proxy)?.[1] ?? ''
const settingMs = (name: string) => Number.parseInt(setting(name), 10) * SECOND

const key = () => randomBytes(32).toString('base64')
const env = readGatewayEnvironment({
  QUEUE_REDIS_URL: 'rediss://queue',
  LEDGER_REDIS_URL: 'rediss://ledger',
  PAYCONEX_URL: 'https://cert.payconex.net',
  SEAL_KEYS: `k1:${key()}`,
  LEDGER_KEY: key(),
})
const times = createTimes(env)

describe('docker-compose.yml', () => {
  it('lets a gateway answer all who wait, a worker hear PayConex out, and the proxy wait for both', () => {
    expect(graceMs('gateway')).toBeGreaterThan(times.leavingMs + times.answerByMs)
    expect(graceMs('worker')).toBeGreaterThan(times.sendByMs + times.payconexTimeoutMs + 10 * SECOND)
    expect(graceMs('proxy')).toBeGreaterThan(settingMs('hard-stop-after'))
    expect(settingMs('hard-stop-after')).toBeGreaterThan(times.answerByMs)
  })

  it('has a limit for everything that runs', () => {
    for (const name of Object.keys(services)) expect(Number(named(name).deploy.resources.limits.cpus), name).toBe(1)
  })

  it('has two gateways and two workers, and publishes none of them', () => {
    for (const name of ['gateway', 'worker']) expect(named(name)).toMatchObject({ ports: [], deploy: { replicas: 2 } })
    expect(named('proxy').ports).toHaveLength(1)
  })

  it('gives gateways and Redis servers no way out', () => {
    for (const name of ['gateway', 'queue', 'ledger']) {
      expect(named(name).networks).not.toEqual([])
      for (const network of named(name).networks)
        expect(networks[network], `${name}: ${network}`).toEqual({ internal: true })
    }
  })
})

describe('the proxy', () => {
  it('waits longer than a gateway may take', () => {
    expect(settingMs('timeout server')).toBeGreaterThan(times.answerByMs)
    expect(settingMs('timeout client')).toBeGreaterThan(times.answerByMs)
  })

  it('goes to another gateway only where no connection came about', () => {
    expect(proxy.match(/^ +retry-on .*$/gm)).toEqual(['    retry-on conn-failure'])
    expect(setting('option redispatch')).toBe('1')
    expect(proxy).toMatch(/^ +option http-server-close$/m)
  })

  it('knows of a gateway that leaves before its door is closed', () => {
    const [, inter, fall] = /inter (\d+)ms .*fall (\d+)/.exec(proxy) ?? []

    expect(Number(inter) * Number(fall)).toBeLessThan(times.leavingMs / 2)
    expect(setting('http-check expect')).toBe('! string draining')
  })

  it('asks gateways where they answer', () => {
    expect(proxy).toContain(`gateway:${env.PORT} `)
    expect(proxy).toContain('check port 9090 ')
  })

  it('logs neither headers nor bodies nor what a URL asks', () => {
    expect(proxy).not.toMatch(/capture|%hr|%hs|%r\b|%HU|%HQ|req\.body|option httplog/)
  })
})
