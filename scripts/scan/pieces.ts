import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { createSliding, type Find, type Finder } from './finder.ts'
import { CannotLook } from './reason.ts'

const PIECE_BYTES = 1024 * 1024

/** What a file is, by its first bytes. `packed`: compressed in a way that cannot be read here. */
export type FileKind = 'plain' | 'gzip' | 'zstd' | 'packed' | 'dump' | 'commands'

const packed = (first: string): [string, FileKind] => [first, 'packed']

const KINDS: readonly [first: string, kind: FileKind][] = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  // zip, xz, 7z, bzip2, lz4, rar, compress, lzip
  ...['504b0304', 'fd377a585a', '377abcaf', '425a68', '04224d18', '52617221', '1f9d', '4c5a4950'].map(packed),
  // systemd's journal, which compresses what is long in it
  packed(Buffer.from('LPKSHHRH').toString('hex')),
  [Buffer.from('REDIS00').toString('hex'), 'dump'],
  [Buffer.from('VALKEY').toString('hex'), 'dump'],
]

const HEAD_BYTES = 64
const COMMANDS = /^(?:#TS:\d+\r\n)?\*\d+\r\n\$/

function kindOf(bytes: Buffer): FileKind {
  const head = bytes.subarray(0, HEAD_BYTES)
  const known = KINDS.find(([first]) => head.toString('hex').startsWith(first))
  return known?.[1] ?? (COMMANDS.test(head.toString('latin1')) ? 'commands' : 'plain')
}

export async function fileKind(path: string): Promise<FileKind> {
  return kindOf(await bytesAt(path, 0, HEAD_BYTES))
}

/** Bytes of a file, as many as there are. */
export async function bytesAt(path: string, from: number, count: number): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, from)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

export type Sight = { find: Finder; onFind: (find: Find) => void; onBytes: (count: number) => void }

/** Looks through a file of any length, unpacked where it is compressed. Returns what kind of thing was inside. */
export async function lookThrough(path: string, kind: FileKind, { find, onFind, onBytes }: Sight): Promise<FileKind> {
  const sliding = createSliding(find, onFind)
  let inside: FileKind | undefined
  for await (const piece of unpacked(path, kind)) {
    inside ??= kindOf(piece)
    sliding.add(piece)
    onBytes(piece.length)
  }
  sliding.end()
  return inside ?? 'plain'
}

async function* unpacked(path: string, kind: FileKind): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES })
  if (kind !== 'gzip' && kind !== 'zstd') return yield* file
  const options = { chunkSize: PIECE_BYTES }
  const unpack = kind === 'gzip' ? createGunzip(options) : createZstdDecompress(options)
  file.on('error', (error) => unpack.destroy(error))
  unpack.on('close', () => file.destroy())
  yield* file.pipe(unpack)
  // Node stops at the end of the first frame of zstd, and at zeros behind gzip.
  if (unpack.bytesWritten < (await stat(path)).size) throw new CannotLook('more stands behind its compressed part')
}
