import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { createFiles } from './files.ts'
import { createSliding, type Find, type Finder } from './finder.ts'
import { CannotLook, reasonOf } from './reason.ts'
import type { Report } from './report.ts'
import { readersOf, type Said, textsIn } from './values.ts'

export type RedisDeps = {
  find: Finder
  report: Report
  files: ReturnType<typeof createFiles>
  memoryOnly: boolean
  caFile: string | undefined
}

const CONNECT_LIMIT_MS = 5_000
const ANSWER_LIMIT_MS = 60_000
const KEYS_AT_ONCE = 50

/** Looks through one server:
 * 1. every key of every database, whatever its type
 * 2. what it keeps beside: slow commands, clients, channels, functions, refused commands
 * 3. its files, where it runs on this machine
 * A step that the server refuses, or during which it goes away, is reported as not looked at. */
export async function lookAtRedis(url: string, deps: RedisDeps): Promise<void> {
  const server = serverName(url)
  const redis = connect(url, deps.caFile)
  let lost: Error | undefined
  redis.on('error', (error) => {
    lost = error
  })
  try {
    await redis.connect()
    await lookAtServer(redis, server, deps)
  } catch (error) {
    deps.report.unseen(server, reasonOf(lost ?? error))
  } finally {
    redis.disconnect()
  }
}

/** Without its password. */
function serverName(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

function connect(url: string, caFile: string | undefined): Redis {
  return new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_LIMIT_MS,
    disconnectTimeout: 100,
    commandTimeout: ANSWER_LIMIT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    replyMapping: 'legacy',
    connectionName: 'scan',
    ...(caFile !== undefined && url.startsWith('rediss:') && { tls: { ca: readFileSync(caFile) } }),
  })
}

async function lookAtServer(redis: Redis, server: string, deps: RedisDeps): Promise<void> {
  const { report } = deps
  const look = (place: string) => (said: Said) => lookIn(said, place, deps)
  const step = async (place: string, work: () => Promise<void>) =>
    work().catch((error: unknown) => report.unseen(place, reasonOf(error)))

  await step(`${server} keys`, () => lookAtKeys(redis, server, deps))
  for (const [name, [command = '', ...args]] of Object.entries(BESIDE)) {
    const place = `${server} ${name}`
    await step(place, async () => {
      const answer = await redis.callBuffer(command, args).catch(unlessUnknown)
      for (const text of textsIn(answer)) look(place)({ text: name === 'clients' ? namesOf(text) : text })
    })
  }
  if (!deps.memoryOnly) await step(`${server} files`, () => lookAtFiles(redis, deps))
}

/** What a server keeps beside its keys. The text of scripts cannot be asked for. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  'slow commands': ['SLOWLOG', 'GET', '100000'],
  clients: ['CLIENT', 'LIST'],
  channels: ['PUBSUB', 'CHANNELS'],
  functions: ['FUNCTION', 'LIST', 'WITHCODE'],
  'refused commands': ['ACL', 'LOG'],
  errors: ['INFO', 'errorstats'],
}

/** Their counters say nothing, and look like a CVV every now and then. */
const namesOf = (clients: Buffer) =>
  Buffer.from((clients.toString('latin1').match(/\b(?:name|lib-name|lib-ver|user)=\S*/g) ?? []).join('\n'), 'latin1')

/** An older server has not got it. */
function unlessUnknown(error: unknown): undefined {
  if (!/unknown (?:sub)?command/i.test(String(error))) throw error
}

function lookIn({ text, part = '' }: Said, place: string, { find, report }: RedisDeps): void {
  report.looked('bytes', text.length)
  for (const found of find(text)) report.found(found, `${place}${part}`)
}

async function lookAtKeys(redis: Redis, server: string, deps: RedisDeps): Promise<void> {
  for (const [, database] of (await redis.info('keyspace')).matchAll(/^db(\d+):/gm)) {
    await redis.select(Number(database))
    let cursor = '0'
    do {
      const [next, keys] = await redis.scanBuffer(cursor, 'COUNT', KEYS_AT_ONCE)
      cursor = String(next)
      await Promise.all(keys.map((key) => lookAtKey(redis, key, { server: `${server} db ${database}`, deps })))
    } while (cursor !== '0')
  }
}

type Where = { server: string; deps: RedisDeps }

async function lookAtKey(redis: Redis, key: Buffer, { server, deps }: Where): Promise<void> {
  const { report } = deps
  const name = `"${report.name(key)}"`
  report.looked('keys', 1)
  lookIn({ text: key }, `${server}, the name of ${name}`, deps)
  try {
    await lookAtValue(redis, key, { place: `${server}, ${name}`, deps })
  } catch (error) {
    report.unseen(`${server}, ${name}`, reasonOf(error))
  }
}

async function lookAtValue(
  redis: Redis,
  key: Buffer,
  { place, deps }: { place: string; deps: RedisDeps },
  again = true,
) {
  const type = await redis.type(key)
  // It has expired meanwhile, or was deleted.
  if (type === 'none') return
  const readers = readersOf(redis, key, (bytes) => deps.report.name(bytes))
  if (type === 'string') return lookAtString(readers.pieces(), place, deps)
  const read = readers.byType[type]
  if (!read) throw new CannotLook(`a ${type} cannot be read here`)
  try {
    for await (const said of read()) lookIn(said, place, deps)
  } catch (error) {
    // It has been replaced by one of another type meanwhile.
    if (!again || !String(error).includes('WRONGTYPE')) throw error
    await lookAtValue(redis, key, { place, deps }, false)
  }
}

async function lookAtString(pieces: AsyncIterable<Buffer>, place: string, { find, report }: RedisDeps): Promise<void> {
  const sliding = createSliding(find, (found: Find) => report.found(found, place))
  for await (const piece of pieces) {
    report.looked('bytes', piece.length)
    sliding.add(piece)
  }
  sliding.end()
}

/** Where a server has its files, it says itself. Which machine that is, it does not: a path by the same name here could be
 * another's. */
async function lookAtFiles(redis: Redis, { files }: RedisDeps): Promise<void> {
  const { dir = '', ...names } = await settingsOf(redis)
  if (!(await isHere(redis, dir))) throw new CannotLook('on another machine: --path there, or --memory-only')
  for (const name of Object.values(names).filter(Boolean))
    await files.look(join(dir, String(name)), { mayBeGone: true })
}

/** A name that an older server does not know is missing. */
async function settingsOf(redis: Redis): Promise<Partial<Record<string, string>>> {
  const wanted = ['dir', 'dbfilename', 'appenddirname', 'appendfilename']
  const pairs = await Promise.all(wanted.map((name) => redis.callBuffer('CONFIG', ['GET', name])))
  return Object.fromEntries(pairs.map((pair) => textsIn(pair).map(String)))
}

const LOOPBACK = /^(?:127\.|localhost$|::1$)/

async function isHere(redis: Redis, dir: string): Promise<boolean> {
  const { host, path } = redis.options
  if (path === undefined && !LOOPBACK.test(host ?? '')) return false
  const isFolder = await stat(dir).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isFolder && isOurs(redis)
}

/** A tunnel ends on loopback, too. Where processes can be looked at, the server must be one of them. */
async function isOurs(redis: Redis): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const [, pid] = /process_id:(\d+)/.exec(await redis.info('server')) ?? []
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
  return /redis|valkey/.test(name)
}
