import { globSync, readFileSync } from 'node:fs'
import { dirname, join, matchesGlob } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { NODE_ARGS } from '../stack/node-args.ts'
import { repository } from '../stack/service.ts'

const read = (file: string) => readFileSync(join(repository, file), 'utf8')

const service = z.object({
  build: z.object({ args: z.object({ BASE: z.string() }) }).optional(),
  image: z.string(),
  user: z.string().optional(),
  environment: z.record(z.string(), z.coerce.string()).default({}),
  ports: z.array(z.string()).default([]),
  privileged: z.boolean().default(false),
  read_only: z.boolean(),
  cap_drop: z.array(z.string()),
  cap_add: z.array(z.string()).default([]),
  security_opt: z.array(z.string()),
  ulimits: z.record(z.string(), z.number()),
})
const services = Object.entries(
  z.object({ services: z.record(z.string(), service) }).parse(parse(read('docker-compose.yml'), { merge: true }))
    .services,
)

describe.each(services)(
  'the service %s of docker-compose.yml',
  (_, { build, user, environment, ports, ...settings }) => {
    it('has no more rights than it needs', () => {
      const { privileged, read_only, cap_drop, cap_add, security_opt } = settings

      expect({ privileged, read_only, cap_drop, cap_add, security_opt }).toEqual({
        privileged: false,
        read_only: true,
        cap_drop: ['ALL'],
        cap_add: [],
        security_opt: ['no-new-privileges:true'],
      })
    })

    it('does not run as root', () => {
      // Ours get their user from the Dockerfile.
      expect(user ?? (build ? 'of the image' : 'root')).not.toMatch(/^(root|0)(:|$)/)
    })

    it('writes no core dump', () => {
      expect(settings.ulimits.core).toBe(0)
    })

    it('is reached from this machine only', () => {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
    })

    it('is given no secret by the file itself', () => {
      for (const [name, value] of Object.entries(environment)) {
        if (/(KEYS?|PASSWORD|SECRET|TOKEN)$/.test(name)) expect(value, name).toBe(`\${${name}:-}`)
      }
    })
  },
)

/** Instructions, each on one line, without comments. */
const instructions = read('Dockerfile')
  .replaceAll(/^\s*#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter(Boolean)
const ours = instructions.slice(instructions.lastIndexOf('FROM scratch'))
const all = (name: string, among = instructions) => among.filter((line) => line.startsWith(`${name} `))

describe('the image', () => {
  it('runs as the user node, by its number', () => {
    expect(all('USER', ours)).toEqual(['USER 1000:1000'])
  })

  it('has one base, which can be named by its digest', () => {
    const [base] = all('ARG')

    expect(base).toMatch(/^ARG BASE=node:24-/)
    for (const line of all('FROM')) expect(line).toMatch(/^FROM (scratch$|\$\{BASE\} AS )/)
    const built = services.flatMap(([, { build }]) => build?.args.BASE ?? [])
    expect(new Set(built)).toEqual(new Set([`\${NODE_IMAGE:-${base?.split('=')[1]}}`]))
  })

  it('installs what the lock file says, without tools, and lets nothing run meanwhile', () => {
    const installs = instructions.filter((line) => /npm (ci|install)/.test(line))

    expect(installs).toHaveLength(1)
    expect(installs[0]).toMatch(/npm ci --omit=dev --omit=optional --ignore-scripts/)
  })

  it.each(['npm', 'npx', 'corepack', 'yarn*', 'apt*', 'dpkg*', 'perl*', 'bash'])('has no %s', (program) => {
    const removed = all('RUN').find((line) => line.includes('/usr/local/lib/node_modules')) ?? ''

    expect(removed).toMatch(new RegExp(`/usr/(local/)?bin/${program.replace('*', '\\*')}(?= )`))
  })

  it('gives no program the rights of another user, and writes no core dump', () => {
    const [removal = ''] = all('RUN').filter((line) => line.includes('/usr/local/lib/node_modules'))

    expect(removal).toContain('-perm /6000 -exec chmod a-s')
    expect(removal).toMatch(/chmod 711 .*node/)
  })

  it('opens no debugger, and writes no heap dump and no diagnostic report', () => {
    const text = [...all('ENV'), ...all('CMD'), ...all('ENTRYPOINT')].join('\n')

    expect(text).toContain('NODE_OPTIONS="--disable-sigusr1 ')
    expect(text).not.toMatch(/--(inspect|heap|report|cpu-prof|diagnostic)/)
  })

  it('tells Node what it is told everywhere else', () => {
    const told = NODE_ARGS.join(' ')
    const { scripts } = JSON.parse(read('package.json'))

    expect(all('ENV').join('\n')).toContain(`${told}"`)
    for (const app of ['gateway', 'worker']) {
      expect(scripts[app]).toBe(`node ${told} apps/${app}/src/main.ts`)
      expect(JSON.parse(read(`apps/${app}/package.json`)).scripts.start).toBe(`node ${told} src/main.ts`)
    }
  })

  it('has no secret in its environment', () => {
    expect([...all('ENV'), ...all('ARG')].join('\n')).not.toMatch(/KEY|PASSWORD|SECRET|TOKEN/)
  })

  it('starts Node itself, which SIGTERM asks to drain', () => {
    expect(all('CMD', ours)).toEqual(['CMD ["node", "apps/gateway/src/main.ts"]'])
    expect(all('ENTRYPOINT', ours)).toEqual([])
    expect(all('STOPSIGNAL', ours)).toEqual(['STOPSIGNAL SIGTERM'])
  })

  it('has every file that it runs, and no test or what only tests need', () => {
    const left = read('.dockerignore').split('\n')
    const isLeftOut = (file: string) => left.some((pattern) => matchesGlob(file, pattern))
    const files = globSync('{apps,packages}/*/src/**/*.ts', { cwd: repository })

    const shipped = files.filter((file) => !isLeftOut(file))

    expect(shipped.sort()).toEqual([...importedBy(files.filter(isEntry))].sort())
  })
})

const isEntry = (file: string) => /^apps\/\w[\w-]*\/src\/main\.ts$|^packages\/\w[\w-]*\/src\/index\.ts$/.test(file)

/** These files and all that they import, one way or another. */
function importedBy(entries: readonly string[], seen = new Set<string>()): Set<string> {
  for (const file of entries.filter((entry) => !seen.has(entry))) {
    seen.add(file)
    const imported = [...read(file).matchAll(/(?:from |import |import\()'(\.[^']+\.ts)'/g)]
    importedBy(
      imported.map(([, path = '']) => join(dirname(file), path)),
      seen,
    )
  }
  return seen
}
