import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spreadOf } from './statistics.ts'

const WRITES = 100
/** About what a payment's step adds to the ledger's file. */
const BYTES = 500

/** How long the disk under the ledger takes to make a small write durable, in ms (median). Every payment waits for that several times,
 * whatever we do; a folder in memory (`TMPDIR=/dev/shm`) shows what is left without it. */
export async function fsyncMs(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'pay-disk-'))
  const file = await open(join(folder, 'log'), 'a')
  const took: number[] = []
  for (let nth = 0; nth < WRITES; nth += 1) {
    await file.write(Buffer.alloc(BYTES, 'x'))
    const before = performance.now()
    await file.datasync()
    took.push(performance.now() - before)
  }
  await file.close()
  await rm(folder, { recursive: true })
  return spreadOf(took).median
}
