import type { Server } from 'node:net'
import { ConfigurationError } from './environment.ts'

export type ListenOptions = {
  port: number
  host: string
  /** The variable that an operator would change. */
  variable: string
}

const COMPLAINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process',
  EACCES: 'needs rights that this process does not have',
  EADDRNOTAVAIL: 'cannot be had on that address',
}

/** Resolves once connections are taken. A port that cannot be had is the operator's to change, and is named. */
export async function listen(server: Server, { port, host, variable }: ListenOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const complaint = COMPLAINTS[error.code ?? '']
      reject(complaint ? new ConfigurationError([`${variable}: port ${port} ${complaint}`]) : error)
    })
    server.listen(port, host, resolve)
  })
}
