import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { keyAt } from './commands.ts'
import type { Find, Finder } from './finder.ts'
import { type FileKind, fileKind, lookThrough } from './pieces.ts'
import { CannotLook, reasonOf } from './reason.ts'
import type { Report } from './report.ts'
import { unpackDump } from './unpack-dump.ts'

export type FilesDeps = { find: Finder; report: Report }

/** What is not read where it stands inside of a compressed file. */
const UNREAD: ReadonlySet<FileKind> = new Set(['gzip', 'zstd', 'packed', 'dump'])

// Of so many finds in one file.
const NAMED = 1000

/** Looks through files and folders, names included: anything as bytes, compressed logs unpacked, the dumps of Redis also through a
 * Redis. A file is looked into once, also where several names lead to it. */
export function createFiles({ find, report }: FilesDeps) {
  const visited = new Set<string>()

  /** `mayBeGone`: nothing there is nothing to look at. */
  async function look(path: string, { mayBeGone = false } = {}): Promise<void> {
    const place = report.name(path)
    try {
      const isThing = await lookAt(path, place)
      if (!isThing && !mayBeGone) throw new CannotLook('neither a file nor a folder')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (mayBeGone && code === 'ENOENT') return
      report.unseen(place, reasonOf(error))
    }
  }

  /** Whether it is something to look at: sockets, pipes and devices hold nothing. */
  async function lookAt(path: string, place: string): Promise<boolean> {
    const status = await stat(path)
    for (const { kind } of find(Buffer.from(basename(path)))) report.found({ kind, at: 0 }, `the name of ${place}`)
    const id = `${status.dev}:${status.ino}`
    const isThing = status.isDirectory() || status.isFile()
    if (!isThing || visited.has(id)) return isThing
    visited.add(id)
    await (status.isDirectory() ? lookInFolder(path) : lookInFile(path, place))
    return true
  }

  async function lookInFolder(path: string): Promise<void> {
    for (const name of (await readdir(path)).toSorted()) await look(join(path, name), { mayBeGone: true })
  }

  async function lookInFile(path: string, place: string): Promise<void> {
    const kind = await fileKind(path)
    report.looked('files', 1)
    if (kind === 'packed') throw new CannotLook('compressed in a way that cannot be read here')
    if (kind === 'commands') return lookInCommands(path, place)
    const inside = await lookThrough(path, kind, { find, onBytes, onFind: (found) => report.found(found, place) })
    if (kind === 'dump') return unpackDump(path, (file) => lookInCommands(file, `${place}, unpacked`))
    if (kind !== 'plain' && UNREAD.has(inside))
      throw new CannotLook('compressed twice, or a compressed dump: unpack it first')
  }

  /** Their finds also say which key they are about. */
  async function lookInCommands(file: string, place: string): Promise<void> {
    const finds: Find[] = []
    const onFind = (found: Find) => {
      if (finds.length < NAMED) finds.push(found)
      else report.found(found, place)
    }
    await lookThrough(file, 'commands', { find, onBytes, onFind })
    for (const found of finds) report.found(found, await placeOf(file, place, found))
  }

  async function placeOf(file: string, place: string, { at }: Find): Promise<string> {
    const key = await keyAt(file, at)
    return key === undefined ? place : `${place}, key "${report.name(key)}"`
  }

  const onBytes = (count: number) => report.looked('bytes', count)

  return { look: (path: string, options?: { mayBeGone?: boolean }) => look(resolve(path), options) }
}
