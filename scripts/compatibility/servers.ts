import { access, chmod, copyFile, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { outputOf, runTool } from '../process/run-tool.ts'
import { say } from '../process/say.ts'
import { repository } from '../stack/service.ts'

/** A server as the tests find it: a folder that holds `redis-server` and goes first on PATH. */
export type Server = { name: string; folder: string }

/** Which release of Debian has it, and in which package. */
const PACKAGES: Readonly<Record<string, { release: string; program: string }>> = {
  'redis-7.0': { release: 'bookworm', program: 'redis-server' },
  'redis-8': { release: 'trixie', program: 'redis-server' },
  'valkey-8': { release: 'trixie', program: 'valkey-server' },
}

const LIMIT_MS = 5 * 60_000
const home = join(repository, '.local/compatibility')

/** A server by its name in PACKAGES, or by the path of its program. */
export async function findServer(wish: string): Promise<Server> {
  const known = PACKAGES[wish]
  const folder = join(home, known ? wish : wish.replaceAll(/[^a-z0-9.]+/gi, '-'))
  const program = join(folder, 'redis-server')
  if (!(await exists(program))) {
    await mkdir(folder, { recursive: true })
    if (known) await wrap(program, await unpack(known.release, known.program), known.program)
    else await link(resolve(wish), program)
  }
  const printed = await outputOf(program, ['--version'], { limitMs: LIMIT_MS })
  const version = /v=(\S+)/.exec(printed ?? '')?.[1]
  if (version === undefined)
    throw new TypeError(`--redis ${wish}: not a server that runs here; one of ${names()}, or a path`)
  return { name: `${/valkey/i.test(printed ?? '') ? 'Valkey' : 'Redis'} ${version}`, folder }
}

const names = () => Object.keys(PACKAGES).join(', ')

async function link(to: string, file: string): Promise<void> {
  await rm(file, { force: true })
  await symlink(to, file)
}

/** With its own libraries and its own loader, a program of a newer Debian runs on an older one. The kernel names a process after the
 * file that it ran, and `npm run scan` asks for that name, so the loader is called like the server. */
async function wrap(file: string, root: string, program: string): Promise<void> {
  const libraries = await Promise.all(['lib', 'usr/lib'].map((place) => libraryFolders(join(root, place))))
  const loader = join(root, 'redis-server')
  await copyFile(await findLoader(root), loader)
  const path = libraries.flat().join(':')
  await writeFile(file, `#!/bin/sh\nexec ${loader} --library-path ${path} ${join(root, 'usr/bin', program)} "$@"\n`)
  await chmod(file, 0o755)
}

async function libraryFolders(place: string): Promise<string[]> {
  const found = await readdir(place, { withFileTypes: true }).catch(() => [])
  return found
    .filter((entry) => entry.isDirectory() && entry.name.endsWith('-linux-gnu'))
    .map(({ name }) => join(place, name))
}

async function findLoader(root: string): Promise<string> {
  for (const place of ['lib64', 'usr/lib64', 'lib', 'usr/lib']) {
    const found = (await readdir(join(root, place)).catch(() => [])).find((name) => /^ld-linux.*\.so/.test(name))
    if (found !== undefined) return join(root, place, found)
  }
  throw new Error('no loader among the packages')
}

/** The package and all it needs, fetched by apt with a state of its own (nothing of the machine changes) and unpacked. */
async function unpack(release: string, name: string): Promise<string> {
  say(`fetching ${name} of Debian ${release} ...`)
  const state = join(home, `apt-${release}-${name}`)
  const root = join(state, 'root')
  for (const folder of ['lists/partial', 'cache/archives/partial', 'root'])
    await mkdir(join(state, folder), { recursive: true })
  await writeFile(join(state, 'status'), '')
  await writeFile(join(state, 'sources.list'), `deb ${await mirror()} ${release} main\n`)
  const apt = (...args: string[]) => runTool('apt-get', [...aptOptions(state), '-qq', ...args], { limitMs: LIMIT_MS })
  await apt('update')
  await apt('install', '-y', '--no-install-recommends', '--download-only', name)
  const archives = join(state, 'cache/archives')
  const packages = (await readdir(archives)).filter((file) => file.endsWith('.deb'))
  for (const file of packages) await runTool('dpkg', ['-x', join(archives, file), root], { limitMs: LIMIT_MS })
  return root
}

function aptOptions(state: string): string[] {
  const settings = {
    'Dir::Etc::SourceList': join(state, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(state, 'lists'),
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': join(state, 'cache'),
    'APT::Sandbox::User': '',
    'Debug::NoLocking': '1',
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

/** Where this machine's own packages come from. */
async function mirror(): Promise<string> {
  const printed = await outputOf('apt-get', ['indextargets', '--format', '$(REPO_URI) $(ORIGIN)'], {
    limitMs: LIMIT_MS,
  })
  const found = (printed ?? '').split('\n').find((line) => /\/debian\/? /.test(line))
  if (found === undefined) throw new Error('no Debian here to take servers from: name one by its path (--redis)')
  return found.split(' ')[0] as string
}

const exists = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  )
