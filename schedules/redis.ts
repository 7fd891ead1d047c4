import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedis, startRedis } from '../scripts/redis/redis.ts'

/** A real Redis for the schedules: on a unix socket where it is a process of this machine, and without a disk, because here
 * nothing has to survive it. */
export async function startScheduleRedis(): Promise<{ path: string; stop: () => Promise<void> }> {
  const source = await findRedis()
  if (source.from === 'engine') {
    const { url, stop } = await startRedis({ kind: 'queue' })
    return { path: url, stop }
  }
  const folder = await mkdtemp(join(tmpdir(), 'pay-schedules-'))
  const path = join(folder, 'redis.sock')
  const redis = await startRedis({ kind: 'queue', args: ['--unixsocket', path] })
  const stop = async () => {
    await redis.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { path, stop }
}
