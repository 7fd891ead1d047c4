import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { request } from 'node:https'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type PeerCertificate, type SecureVersion, type TLSSocket } from 'node:tls'
import { generate } from 'selfsigned'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ENDPOINT } from './app.ts'
import { type Certificate, problemsOfCertificate, readCertificate, renewCertificate } from './certificate.ts'
import { ACCESS_KEY, ACCOUNT, basic, recordingLog, visaCharge, withApp } from './testing.ts'

const YEAR = 365 * 24 * 3600 * 1000
type Pems = { cert: string; private: string }
let first: Pems
let second: Pems
let expired: Pems
let folder: string
const opened: (() => unknown)[] = []

const selfSigned = (name: string, ends = Date.now() + YEAR): Promise<Pems> =>
  generate([{ name: 'commonName', value: name }], {
    notBeforeDate: new Date(ends - 2 * YEAR),
    notAfterDate: new Date(ends),
  })

beforeAll(async () => {
  const made = await Promise.all([selfSigned('first'), selfSigned('second'), selfSigned('old', Date.now() - YEAR)])
  first = made[0]
  second = made[1]
  expired = made[2]
})

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** Two files in a folder of their own, as an operator would have them. */
function filesOf(cert: string, key: string) {
  folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  opened.push(() => rmSync(folder, { recursive: true }))
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  writeFileSync(files.certFile, cert)
  writeFileSync(files.keyFile, key)
  return files
}

const bytesOf = ({ cert, private: key }: Pems): Certificate => ({ cert: Buffer.from(cert), key: Buffer.from(key) })

/** The certificate that is shown to a newcomer. */
function shown(port: number, version?: SecureVersion): Promise<{ name: string; protocol: string | null }> {
  return new Promise((resolve, reject) => {
    const versions = version && { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...versions }, () => {
      const { subject }: PeerCertificate = socket.getPeerCertificate()
      resolve({ name: String(subject.CN), protocol: socket.getProtocol() })
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

describe('a gateway with a certificate of its own', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', (version) =>
    withApp(
      async ({ port }) => {
        expect(await shown(port, version)).toEqual({ name: 'first', protocol: version })
      },
      { certificate: bytesOf(first) },
    ),
  )

  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s', (version) =>
    withApp(
      async ({ port }) => {
        await expect(shown(port, version)).rejects.toThrow(/protocol version|unsupported protocol/)
      },
      { certificate: bytesOf(first) },
    ),
  )

  it('answers payments over it, and says that it is never to be spoken to without', () =>
    withApp(
      async ({ port }) => {
        const answer = await post(port)

        expect(answer.text).toContain('000000012345')
        expect(answer.headers).toMatchObject({ 'strict-transport-security': 'max-age=31536000' })
      },
      { certificate: bytesOf(first) },
    ))

  it('does not pay what comes in plain text', () =>
    withApp(
      async ({ write, tries }) => {
        expect(await write(`POST ${ENDPOINT} HTTP/1.1\r\nHost: x\r\n\r\n`)).not.toContain('HTTP/')
        expect(tries).toEqual([])
      },
      { certificate: bytesOf(first) },
    ))

  it('gives up on a handshake that does not come', () =>
    withApp(
      async ({ port }) => {
        const socket = connectTcp(port, '127.0.0.1')
        opened.push(() => socket.destroy())

        await new Promise((resolve) => socket.on('close', resolve))
      },
      { certificate: bytesOf(first), limits: { headersTimeout: 50, connectionsCheckingInterval: 10 } },
    ))
})

describe('a certificate', () => {
  it('with its key can be used', () => {
    expect(problemsOfCertificate(filesOf(first.cert, first.private))).toEqual([])
  })

  it.each<[string, () => [string, string], string]>([
    ['that is none', () => ['nonsense', first.private], 'TLS_CERT_FILE: holds no certificate (PEM)'],
    ['whose key is none', () => [first.cert, ''], 'TLS_KEY_FILE: holds no private key without a passphrase (PEM)'],
    ['with the key of another', () => [first.cert, second.private], 'TLS_KEY_FILE: is not the key of TLS_CERT_FILE'],
    ['that has expired', () => [expired.cert, expired.private], 'TLS_CERT_FILE: has expired'],
  ])('%s is refused by the name of its variable', (_, make, problem) => {
    expect(problemsOfCertificate(filesOf(...make()))).toEqual([problem])
  })
})

describe('a certificate that is renewed', () => {
  function renewing(server: Server) {
    const files = filesOf(first.cert, first.private)
    const { log, lines } = recordingLog()
    opened.push(renewCertificate({ server, files, certificate: readCertificate(files), everyMs: 20, log }))
    const { port } = server.address() as AddressInfo
    return { files, lines, name: async () => (await shown(port)).name }
  }

  it('is shown to whoever comes next, without a restart and still without TLS 1.1', () =>
    withApp(
      async ({ server, port }) => {
        const { files, lines, name } = renewing(server)
        expect(await name()).toBe('first')

        writeFileSync(files.certFile, second.cert)
        writeFileSync(files.keyFile, second.private)

        await expect.poll(name, { timeout: 5000 }).toBe('second')
        await expect(shown(port, 'TLSv1.1')).rejects.toThrow()
        expect(lines.at(-1)).toMatchObject({ level: 'info', message: 'a new certificate is shown' })
      },
      { certificate: bytesOf(first) },
    ))

  it.each<[string, () => [string, string], RegExp]>([
    ['is half there', () => [second.cert, first.private], /TLS_KEY_FILE: is not the key/],
    ['is nonsense', () => ['nonsense', 'nonsense'], /TLS_CERT_FILE: holds no certificate/],
    ['has expired', () => [expired.cert, expired.private], /TLS_CERT_FILE: has expired/],
  ])('and %s is not shown: the old one is, and the log says so once', (_, make, reason) =>
    withApp(
      async ({ server }) => {
        const { files, lines, name } = renewing(server)
        const [cert, key] = make()

        writeFileSync(files.certFile, cert)
        writeFileSync(files.keyFile, key)

        const complaint = { level: 'error', fields: { reason: expect.stringMatching(reason) } }
        await expect.poll(() => lines.at(-1), { timeout: 5000 }).toMatchObject(complaint)
        const { length } = lines
        await new Promise((resolve) => setTimeout(resolve, 100))
        expect(lines).toHaveLength(length)
        expect(await name()).toBe('first')
      },
      { certificate: bytesOf(first) },
    ),
  )

  it('and whose files are gone for a moment stays as it was', () =>
    withApp(
      async ({ server }) => {
        const { files, lines, name } = renewing(server)

        rmSync(files.keyFile)

        await expect
          .poll(() => lines.at(-1)?.fields, { timeout: 5000 })
          .toEqual({ event: 'certificate.not_renewed', reason: 'ENOENT' })
        expect(await name()).toBe('first')
      },
      { certificate: bytesOf(first) },
    ))
})

function post(port: number): Promise<{ headers: Record<string, unknown>; text: string }> {
  const headers = { authorization: basic(ACCOUNT, ACCESS_KEY) }
  const options = { host: '127.0.0.1', port, path: ENDPOINT, method: 'POST', headers, rejectUnauthorized: false }
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, agent: false }, async (response) => {
      resolve({ headers: response.headers, text: Buffer.concat(await response.toArray()).toString() })
    })
    asked.on('error', reject)
    asked.end(JSON.stringify(visaCharge))
  })
}
