import { freePort, isFree } from '../process/free-port.ts'
import { say } from '../process/say.ts'

export type PortWish = {
  /** What the port is for, in words. */
  purpose: string
  /** The variable in which a person may have asked for a port, and what it holds. */
  variable?: string
  value?: string | undefined
  fallback: number
}

/** A port to listen on: exactly the one that was asked for, or else an error; without a wish the usual one, or when that is
 * taken a free one, which is said. */
export async function choosePort({ purpose, variable, value, fallback }: PortWish): Promise<number> {
  if (value !== undefined) return askedPort(`${variable}=${value}`, value)
  if (await isFree(fallback)) return fallback
  const port = await freePort()
  say(`port ${fallback} is taken: ${purpose} listens on ${port}`)
  return port
}

async function askedPort(wish: string, value: string): Promise<number> {
  const port = Number(value)
  if (!/^\d+$/.test(value) || port > 65_535) throw new Error(`${wish}: not a port`)
  if (port === 0) return freePort()
  if (!(await isFree(port))) throw new Error(`${wish}: something else listens on this port`)
  return port
}
