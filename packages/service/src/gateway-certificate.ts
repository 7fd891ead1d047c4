import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** Where the gateway's own TLS certificate (with those of its authorities behind it) and its private key are. */
export type CertificateFiles = { certFile: string; keyFile: string }

export type Certificate = { cert: Buffer; key: Buffer }

export const readCertificate = ({ certFile, keyFile }: CertificateFiles): Certificate => ({
  cert: readFileSync(certFile),
  key: readFileSync(keyFile),
})

/** With TLS 1.2 or newer only. */
export const secureContextOf = ({ cert, key }: Certificate) => ({ cert, key, minVersion: 'TLSv1.2' as const })

/** When it expires. The first in the file is the gateway's own. */
export const validUntil = ({ cert }: Certificate): Date => new X509Certificate(cert).validToDate

/** Why the files cannot be used, by the names of their variables; empty when they can. */
export function problemsOfCertificate(files: CertificateFiles): string[] {
  try {
    const problem = problemOfCertificate(readCertificate(files))
    return problem ? [problem] : []
  } catch {
    return ['TLS_CERT_FILE, TLS_KEY_FILE: the files cannot be read']
  }
}

/** The same of what was read. */
export function problemOfCertificate({ cert, key }: Certificate): string | undefined {
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
