import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { reasonOf } from '@pay/service'
import type { TunnelError } from './agents.ts'
import { classify, type Exchanged, type Wire } from './classify.ts'
import { readBody } from './exchange-body.ts'

type Limits = { timeoutMs: number; connectTimeoutMs: number }

/** Sends a request that has been opened, and says what became of it. Node's client sends it once, on one socket, and follows nothing.
 * Whatever comes first decides: the whole answer, an error, or the end of our time. */
export function send(
  outgoing: ClientRequest,
  form: string,
  { timeoutMs, connectTimeoutMs }: Limits,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const timer = setTimeout(lose, timeoutMs, 'timeout')
    const wire = watch(outgoing, connectTimeoutMs, lose)

    function hear(status: number, text: string): void {
      release()
      resolve(classify({ ...wire.seen(), answer: { status, text } }))
    }

    function lose(reason: string, refused?: string): void {
      release()
      // Before the bytes are counted, so that none is written after that.
      outgoing.destroy()
      const { certificateError = refused, ...seen } = wire.seen()
      resolve(classify({ ...seen, certificateError, reason }))
    }

    function release(): void {
      clearTimeout(timer)
      wire.release()
    }

    let isAnswered = false
    outgoing.once('response', (answer) => {
      isAnswered = true
      readBody(answer, { hear, lose })
    })
    outgoing.on('error', (error: TunnelError) => lose(reasonOf(error), error.certificateError))
    // With neither an answer nor an error, as when the other side says that it speaks another protocol from now on.
    outgoing.once('close', () => isAnswered || lose('ECONNRESET'))
    outgoing.end(form, 'latin1')
  })
}

/** Watches one request on its socket: the evidence for `classify`. */
function watch(outgoing: ClientRequest, connectTimeoutMs: number, lose: (reason: string) => void) {
  let socket: Socket | undefined
  let hasConnected = false
  let bytesBefore = 0
  let timer: NodeJS.Timeout | undefined

  outgoing.once('socket', (assigned) => {
    socket = assigned
    // Emitted before the request is written: what a reused socket has carried so far is not ours.
    if (!isHandshaking(assigned)) {
      bytesBefore = assigned.bytesWritten
      hasConnected = true
      return
    }
    timer = setTimeout(lose, connectTimeoutMs, 'connect timeout')
    assigned.once('encrypted' in assigned ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer)
      hasConnected = true
    })
  })

  return {
    seen: (): Wire => ({
      hasConnected,
      bytesWritten: (socket?.bytesWritten ?? 0) - bytesBefore,
      certificateError: certificateErrorOf(socket),
    }),
    release: () => clearTimeout(timer),
  }
}

/** Until TCP stands, and with TLS until its handshake is over, no byte of a request can leave. */
const isHandshaking = (socket: Socket & { secureConnecting?: boolean }) =>
  socket.connecting || socket.secureConnecting === true

/** Its code, like CERT_HAS_EXPIRED, or undefined. Node's types call it an Error, its documentation and code do not.
 * https://nodejs.org/api/tls.html#tlssocketauthorizationerror */
const certificateErrorOf = (socket: Socket | undefined) =>
  socket instanceof TLSSocket && socket.authorizationError ? String(socket.authorizationError) : undefined
