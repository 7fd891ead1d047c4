import type { Request, Response } from 'express'

export type Line = ReturnType<typeof createLine>

/** The connection of one request, with every way in which a server can leave it. */
export function createLine(request: Request, response: Response) {
  const { socket } = request
  const cut = new AbortController()
  const closed = response.closed
    ? Promise.resolve()
    : new Promise<void>((resolve) => response.once('close', () => resolve()))

  /** Returns whether the answer was handed to the network in full. */
  async function reply({ status = 200, contentType, body, headers = {} }: Reply): Promise<boolean> {
    if (response.destroyed) return false
    response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body), ...headers })
    response.end(body)
    await closed
    return response.writableFinished
  }

  return {
    reply,
    /** Aborted when the simulator is reset; nothing may be committed after that. */
    signal: cut.signal,
    cut() {
      cut.abort()
      socket.destroy()
    },
    /** Stays open without a word until the caller gives up. */
    silence: () => closed,
    /** A TCP reset (RST), not an orderly end. */
    async reset() {
      socket.resetAndDestroy()
    },
    /** Promises the whole answer, sends half of it and hangs up. */
    async half({ contentType, body }: Reply) {
      if (response.destroyed) return
      response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) })
      response.write(body.slice(0, Math.floor(body.length / 2)), () => socket.destroy())
      await closed
    },
    /** An answer with nothing in it. */
    async nothing({ contentType }: Reply) {
      await reply({ contentType, body: '' })
    },
  }
}

export interface Reply {
  readonly status?: number
  readonly contentType: string
  readonly body: string
  readonly headers?: Record<string, string>
}

/** A page as a web server, proxy or firewall in front of PayConex sends it. */
export const webPage = (status: number, title: string, headers: Record<string, string> = {}): Reply => ({
  status,
  contentType: 'text/html; charset=utf-8',
  body: `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`,
  headers,
})

/** The requests that are being worked on or held. */
export function createLines() {
  const open = new Set<Line>()
  return {
    count: () => open.size,
    /** Lends a line to some work and takes it back, however the work ends. */
    async during(line: Line, work: () => Promise<void>) {
      open.add(line)
      try {
        await work()
      } catch (error) {
        // A line that was cut makes the work fail; that is its purpose and nobody is left to be told.
        if (!line.signal.aborted) throw error
      } finally {
        open.delete(line)
      }
    },
    cutAll() {
      for (const line of open) line.cut()
    },
  }
}
