import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import { createSecureContext } from 'node:tls'
import { type Log, lookAgain, SECOND } from '@pay/service'

/** Where the gateway's own TLS certificate (with those of its authorities behind it) and its private key are. */
export type CertificateFiles = { certFile: string; keyFile: string }

export type Certificate = { cert: Buffer; key: Buffer }

export const readCertificate = ({ certFile, keyFile }: CertificateFiles): Certificate => ({
  cert: readFileSync(certFile),
  key: readFileSync(keyFile),
})

/** With TLS 1.2 or newer only. */
export const secureContextOf = ({ cert, key }: Certificate) => ({ cert, key, minVersion: 'TLSv1.2' as const })

/** Why the files cannot be used, by the names of their variables; empty when they can. */
export function problemsOfCertificate(files: CertificateFiles): string[] {
  try {
    const problem = problemOf(readCertificate(files))
    return problem ? [problem] : []
  } catch {
    return ['TLS_CERT_FILE, TLS_KEY_FILE: the files cannot be read']
  }
}

function problemOf({ cert, key }: Certificate): string | undefined {
  const certificate = orUndefined(() => new X509Certificate(cert))
  if (!certificate) return 'TLS_CERT_FILE: holds no certificate (PEM)'
  const privateKey = orUndefined(() => createPrivateKey(key))
  if (!privateKey) return 'TLS_KEY_FILE: holds no private key without a passphrase (PEM)'
  if (!certificate.checkPrivateKey(privateKey)) return 'TLS_KEY_FILE: is not the key of TLS_CERT_FILE'
  if (certificate.validToDate.getTime() < Date.now()) return 'TLS_CERT_FILE: has expired'
  const context = orUndefined(() => createSecureContext(secureContextOf({ cert, key })))
  return context ? undefined : 'TLS_CERT_FILE, TLS_KEY_FILE: cannot be used for TLS'
}

function orUndefined<Result>(read: () => Result): Result | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

export type Renewal = {
  server: Server
  files: CertificateFiles
  /** The one that `server` shows now. */
  certificate: Certificate
  everyMs?: number
  log: Log
}

/** Shows a new certificate as soon as both its files are there, without a restart; connections that are open stay so. Until
 * then, and when the new ones cannot be used, the old one is shown, and the log says why, once. Returns how to stop. */
export function renewCertificate({ server, files, certificate, everyMs = 10 * SECOND, log }: Renewal): () => void {
  let seen = certificate

  async function look(): Promise<string | undefined> {
    const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)])
    if (cert.equals(seen.cert) && key.equals(seen.key)) return undefined
    const problem = problemOf({ cert, key })
    if (problem) return problem
    if (server instanceof HttpsServer) server.setSecureContext(secureContextOf({ cert, key }))
    seen = { cert, key }
    log.info({ event: 'certificate.renewed' }, 'a new certificate is shown')
    return undefined
  }

  const onProblem = (reason: string) =>
    log.error({ event: 'certificate.not_renewed', reason }, 'the old certificate is shown, the new one cannot be')
  return lookAgain({ look, everyMs, onProblem })
}
