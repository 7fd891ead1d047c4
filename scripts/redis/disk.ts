import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The private place of a local server: what it writes, and copies that a test has taken of that. */
export type Disk = {
  /** Where the server writes. */
  path: string
  /** Takes a copy, and returns where it is. */
  copy: () => Promise<string>
  /** Puts a copy in the place of what is there, or nothing at all. The server must not run. */
  replace: (copy?: string) => Promise<void>
}

export async function createDisk(folder: string): Promise<Disk> {
  const path = join(folder, 'data')
  let copies = 0
  await mkdir(path)
  return {
    path,
    copy: async () => {
      const copy = join(folder, `copy-${++copies}`)
      await cp(path, copy, { recursive: true })
      return copy
    },
    replace: async (copy) => {
      await rm(path, { recursive: true, force: true })
      await (copy === undefined ? mkdir(path) : cp(copy, path, { recursive: true }))
    },
  }
}
