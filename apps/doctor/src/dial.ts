import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectSecurely, rootCertificates, type TLSSocket } from 'node:tls'
import { reasonOf, SECOND } from '@pay/service'
import { within } from './within.ts'

export type Place = { host: string; port: number }

/** How far one came on the way to a server: to its name, to its port. */
export type Dialled =
  | { kind: 'connected'; socket: Socket; address: string; ms: number }
  | { kind: 'failed'; stage: 'name' | 'port'; reason: string }

/** Name and TCP, each told apart, because each has another remedy. The whole takes no longer than the limit. */
export async function dial({ host, port }: Place, limitMs: number): Promise<Dialled> {
  const until = performance.now() + limitMs
  const name = await within(limitMs, resolve(host))
  if (name === undefined) return { kind: 'failed', stage: 'name', reason: `no answer within ${limitMs / SECOND} s` }
  if ('reason' in name) return { kind: 'failed', stage: 'name', reason: name.reason }
  const started = performance.now()
  const socket = connect({ host, port, autoSelectFamily: true })
  const reason = await outcomeOf(socket, 'connect', Math.max(100, until - started))
  if (reason !== undefined) return { kind: 'failed', stage: 'port', reason }
  return { kind: 'connected', socket, address: name.address, ms: performance.now() - started }
}

async function resolve(host: string): Promise<{ address: string } | { reason: string }> {
  if (isIP(host) !== 0) return { address: host }
  try {
    return await lookup(host)
  } catch (error) {
    return { reason: reasonOf(error) }
  }
}

export type Handshaken =
  | { kind: 'secure'; socket: TLSSocket; protocol: string; validTo: Date; refused: string | undefined }
  | { kind: 'failed'; reason: string }

export type SecureOptions = { host: string; ca?: string | undefined; limitMs: number }

/** TLS over a connection, as this service does it: the public authorities and CA_FILE, 1.2 or newer. A certificate that is not trusted
 * is seen, too (`refused` says why); nothing may be sent to whoever shows it. */
export async function secure(socket: Socket, { host, ca, limitMs }: SecureOptions): Promise<Handshaken> {
  const secured = connectSecurely({
    socket,
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ca: [...rootCertificates, ...(ca ? [ca] : [])],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: false,
  })
  const reason = await outcomeOf(secured, 'secureConnect', limitMs)
  if (reason !== undefined) return { kind: 'failed', reason }
  return {
    kind: 'secure',
    socket: secured,
    protocol: secured.getProtocol() ?? 'TLS',
    validTo: new Date(secured.getPeerCertificate().valid_to),
    refused: secured.authorized ? undefined : String(secured.authorizationError),
  }
}

/** Undefined once the event has come; otherwise why it does not, and the socket is gone. */
export async function outcomeOf(socket: Socket, event: string, limitMs: number): Promise<string | undefined> {
  const come = new Promise<string>((resolve) => {
    socket.once(event, () => resolve(''))
    socket.once('close', () => resolve('closed'))
    // For as long as the socket lives: an error that nobody hears would end the process.
    socket.on('error', (error) => resolve(reasonOf(error)))
  })
  const reason = (await within(limitMs, come)) ?? `no answer within ${(limitMs / SECOND).toFixed(1)} s`
  if (reason === '') return undefined
  socket.destroy()
  return reason
}

/** URLs write an IPv6 address in brackets. */
export const placeOfUrl = ({ hostname, port }: URL, defaultPort: number): Place => ({
  host: hostname.replace(/^\[|\]$/g, ''),
  port: Number(port || defaultPort),
})
