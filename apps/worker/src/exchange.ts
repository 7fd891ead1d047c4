import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { Agent as HttpsAgent, request as secureRequest } from 'node:https'
import type { Socket } from 'node:net'
import { rootCertificates } from 'node:tls'
import { reasonOf, SECOND } from '@pay/service'
import axios from 'axios'

/** What became of one request. `unsent`: provably not a byte of it left, so it may be sent again. `lost`: it may have
 * arrived, and may have been acted on. */
export type Exchanged =
  | { kind: 'answered'; status: number; text: string }
  | { kind: 'unsent'; reason: string }
  | { kind: 'lost'; reason: string }

export type Exchange = (request: { url: string; form: string; timeoutMs: number }) => Promise<Exchanged>

export type ExchangeOptions = {
  connectTimeoutMs: number
  /** PEM of an authority to trust besides the public ones. */
  ca?: string | undefined
}

// PayConex closes idle connections after a time that it does not publish. Ours closes first, so that a request is hardly
// ever written into a connection that is being closed (which cannot be told from one that was acted on).
const IDLE_SOCKET_MS = 4 * SECOND
const ANSWER_LIMIT_BYTES = 1024 * 1024

/** Sends form-encoded POSTs over one keep-alive agent. Errors of axios carry the whole request with its card number, so
 * none of them leaves this file: a reason is an error's code. */
export function createExchange({ connectTimeoutMs, ca }: ExchangeOptions): { exchange: Exchange; close: () => void } {
  const keepAlive = { keepAlive: true, timeout: IDLE_SOCKET_MS, scheduling: 'lifo' } as const
  const httpAgent = new HttpAgent(keepAlive)
  const httpsAgent = new HttpsAgent({ ...keepAlive, ...(ca && { ca: [...rootCertificates, ca] }) })
  const client = axios.create({
    method: 'post',
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Accept: 'application/json',
      'User-Agent': 'pay-connector',
    },
    httpAgent,
    httpsAgent,
    proxy: false,
    maxRedirects: 0,
    maxBodyLength: ANSWER_LIMIT_BYTES,
    maxContentLength: ANSWER_LIMIT_BYTES,
    responseType: 'text',
    transformRequest: [(form: string) => form],
    transformResponse: [(text: unknown) => text],
    validateStatus: () => true,
  })

  async function exchange({ url, form, timeoutMs }: Parameters<Exchange>[0]): Promise<Exchanged> {
    const wire = createWire(connectTimeoutMs)
    const timeUp = AbortSignal.timeout(timeoutMs)
    try {
      const { status, data } = await client.request({ url, data: form, transport: wire.transport, signal: timeUp })
      return { kind: 'answered', status, text: typeof data === 'string' ? data : '' }
    } catch (error) {
      const reason = timeUp.aborted ? 'timeout' : (wire.reason() ?? reasonOf(error))
      return { kind: wire.hasSent() ? 'lost' : 'unsent', reason }
    } finally {
      wire.release()
    }
  }

  const close = () => {
    httpAgent.destroy()
    httpsAgent.destroy()
  }
  return { exchange, close }
}

/** Watches one request on its socket. Whether anything was sent is decided by the bytes written for this request, never
 * by an error's code: the same ECONNRESET comes from a connection that never was and from one that took the card. */
function createWire(connectTimeoutMs: number) {
  let socket: Socket | undefined
  let isReady = false
  let bytesBefore = 0
  let timer: NodeJS.Timeout | undefined
  let reason: string | undefined

  function watch(outgoing: ClientRequest): void {
    timer = setTimeout(() => {
      reason = 'connect timeout'
      outgoing.destroy(new Error(reason))
    }, connectTimeoutMs)
    outgoing.once('socket', (assigned) => {
      socket = assigned
      // Emitted before the request is written: what a reused socket has carried so far is not ours.
      if (isHandshaking(assigned))
        return void assigned.once('encrypted' in assigned ? 'secureConnect' : 'connect', ready)
      bytesBefore = assigned.bytesWritten
      ready()
    })
  }

  function ready(): void {
    clearTimeout(timer)
    isReady = true
  }

  return {
    transport: {
      request(options: RequestOptions, answered: (answer: IncomingMessage) => void): ClientRequest {
        const outgoing = (options.protocol === 'https:' ? secureRequest : request)(options, answered)
        watch(outgoing)
        return outgoing
      },
    },
    /** Bytes that wait for a connection that never came about do not count; once it stands they all do. */
    hasSent: () => isReady && socket !== undefined && socket.bytesWritten > bytesBefore,
    reason: () => reason,
    release: () => clearTimeout(timer),
  }
}

/** Until TCP stands, and with TLS until its handshake is over, no byte of a request can leave. */
const isHandshaking = (socket: Socket & { secureConnecting?: boolean }) =>
  socket.connecting || socket.secureConnecting === true
