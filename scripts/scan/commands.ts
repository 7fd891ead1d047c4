import { bytesAt } from './pieces.ts'

const LOOK_BACK_BYTES = 64 * 1024
const KEY_BYTES = 1024
const COMMAND = /\*\d+\r\n\$\d+\r\n(?:XGROUP\r\n\$\d+\r\n)?[A-Za-z]+\r\n\$(\d+)\r\n/gi

/** Which key the command is about that stands at this byte of an append-only file; undefined where that is too far to tell. */
export async function keyAt(path: string, at: number): Promise<Buffer | undefined> {
  const from = Math.max(0, at - LOOK_BACK_BYTES)
  const bytes = await bytesAt(path, from, at - from + KEY_BYTES)
  const commands = [...bytes.toString('latin1').matchAll(COMMAND)].filter(({ index }) => from + index < at)
  const last = commands.at(-1)
  if (!last) return undefined
  const begin = last.index + last[0].length
  return bytes.subarray(begin, begin + Number(last[1]))
}
