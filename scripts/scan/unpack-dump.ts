import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Child, startChild } from '../process/child.ts'
import { guard } from '../process/guard.ts'
import { pathOf } from '../process/run-tool.ts'
import { fileKind } from './pieces.ts'
import { CannotLook } from './reason.ts'

/** Turns a dump of Redis into the commands that would make the same keys, and hands over the files with those:
 * 1. a copy in a private folder, as the append-only file that it could have been the begin of
 * 2. a Redis of our own loads it, without a port, as a replica of nobody: so it also keeps what has expired since
 * 3. it writes everything down again as plain commands, long strings not compressed and numbers as digits
 * The folder is gone when this has ended, in whatever way. */
export async function unpackDump(path: string, use: (file: string) => Promise<void>): Promise<void> {
  const program = (await pathOf('redis-server')) ?? (await pathOf('valkey-server'))
  if (program === undefined) throw new CannotLook('a dump needs a redis-server to be read, and there is none')
  const folder = await mkdtemp(join(tmpdir(), 'pay-scan-'))
  const release = guard('folder', folder)
  try {
    await copyFile(path, join(folder, 'appendonly.aof'))
    await rewrite(program, folder)
    for (const file of await commandFiles(folder)) await use(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
    release()
  }
}

const STOP_GRACE_MS = 5_000

async function rewrite(program: string, folder: string): Promise<void> {
  const socket = join(folder, 's')
  const place = ['--port', '0', '--unixsocket', socket, '--unixsocketperm', '700', '--dir', folder]
  const history = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'no', '--aof-use-rdb-preamble', 'no']
  const still = ['--auto-aof-rewrite-percentage', '0', '--replicaof', '127.0.0.1 1', '--daemonize', 'no']
  const args = [...place, ...history, ...still]
  const child = await startChild({ name: 'redis-server', program, args, env: {}, cwd: folder })
  const redis = new Redis({ path: socket, maxRetriesPerRequest: null, disconnectTimeout: 100, retryStrategy: () => 50 })
  redis.on('error', () => undefined)
  try {
    await untilRewritten(redis, child)
  } finally {
    redis.disconnect()
    await child.stop(STOP_GRACE_MS)
  }
}

const LOAD_LIMIT_MS = 10 * 60_000

async function untilRewritten(redis: Redis, child: Child): Promise<void> {
  const ended = child.exited.then(() => Promise.reject(new CannotLook('redis-server cannot load it')))
  const late = sleep(LOAD_LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new CannotLook('redis-server takes too long to load it')
  })
  await Promise.race([ended, late, askForRewrite(redis)])
  ended.catch(() => undefined)
}

const POLL_MS = 50

async function askForRewrite(redis: Redis): Promise<void> {
  await redis.bgrewriteaof()
  for (;;) {
    const state = await redis.info('persistence')
    const isDone = /aof_rewrite_in_progress:0/.test(state) && /aof_rewrite_scheduled:0/.test(state)
    if (isDone && /aof_last_bgrewrite_status:ok/.test(state)) return
    if (isDone) throw new CannotLook('redis-server cannot write it down')
    await sleep(POLL_MS)
  }
}

async function commandFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const kinds = await Promise.all(files.map(fileKind))
  return files.filter((_, nth) => kinds[nth] === 'commands')
}
