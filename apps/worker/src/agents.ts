import { type AgentOptions, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import { checkServerIdentity, createSecureContext, rootCertificates, TLSSocket } from 'node:tls'
import { SECOND } from '@pay/service'

export type AgentsOptions = {
  connectTimeoutMs: number
  /** PEM of authorities to trust besides the public ones. */
  ca?: string | undefined
  /** An HTTP proxy through which TLS is tunnelled. May hold a password. */
  proxyUrl?: string | undefined
  /** Whether a connection may carry another request after its first. */
  keepAlive: boolean
}

export type Agents = { http: HttpAgent; https: HttpsAgent; destroy: () => void }

// PayConex closes idle connections after a time that it does not publish. Ours closes first, so that a request is hardly
// ever written into a connection that is being closed (which cannot be told from one that was acted on).
const IDLE_SOCKET_MS = 4 * SECOND

/** The connections to PayConex. Everything that the environment could weaken is said here: whom to trust, that certificates and
 * host names are checked, the oldest TLS, and through which proxy, if any. */
export function createAgents({ connectTimeoutMs, ca, proxyUrl, keepAlive }: AgentsOptions): Agents {
  // An agent that names no proxy may be given the environment's: https://github.com/nodejs/node/pull/64528
  const direct = { keepAlive, timeout: IDLE_SOCKET_MS, scheduling: 'lifo', proxyEnv: {} } as const
  const tls = {
    // Read once, and not with every connection: there are 150 of them.
    secureContext: createSecureContext({ ca: [...rootCertificates, ...(ca ? [ca] : [])], minVersion: 'TLSv1.2' }),
    rejectUnauthorized: true,
    checkServerIdentity,
  }
  const secure = { ...direct, ...tls }
  const http = new HttpAgent(direct)
  const https = proxyUrl
    ? new TunnelAgent({ ...secure, proxyEnv: { HTTPS_PROXY: proxyUrl } }, connectTimeoutMs)
    : new HttpsAgent(secure)
  const destroy = () => {
    http.destroy()
    https.destroy()
  }
  return { http, https, destroy }
}

/** Why the certificate at the end of a tunnel was refused, on the error of the tunnel: the request never sees its socket. */
export type TunnelError = Error & { certificateError?: string }

type Created = (error: TunnelError | null, stream: Duplex) => void

/** Node's tunnel, which gives a request its socket only when the handshake with PayConex is over: until then nothing of the request
 * can have left. Node leaves sockets open whose proxy refuses, and waits for ever for a handshake; here both are ended. */
class TunnelAgent extends HttpsAgent {
  readonly #limitMs: number

  constructor(options: AgentOptions, limitMs: number) {
    super(options)
    this.#limitMs = limitMs
  }

  override createConnection(options: object, created: Created): Duplex | null | undefined {
    const done: Created = (error, stream) => {
      clearTimeout(timer)
      if (error) socket?.destroy()
      created(error && withCertificateError(error, stream), stream)
    }
    const timer = setTimeout(() => done(new ConnectTimeout(), socket as Duplex), this.#limitMs)
    const socket = super.createConnection(options, done as () => void)
    return socket
  }
}

/** Raised when a tunnel takes too long. Nothing was sent: try again. */
class ConnectTimeout extends Error {
  readonly retry = true
  readonly code = 'connect timeout'
}

const withCertificateError = (error: TunnelError, stream: Duplex): TunnelError =>
  stream instanceof TLSSocket && stream.authorizationError
    ? Object.assign(error, { certificateError: String(stream.authorizationError) })
    : error
