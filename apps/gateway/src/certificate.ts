import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import {
  type Certificate,
  type CertificateFiles,
  type Log,
  lookAgain,
  problemOfCertificate,
  SECOND,
  secureContextOf,
} from '@pay/service'

export type Renewal = {
  server: Server
  files: CertificateFiles
  /** The one that `server` shows now. */
  certificate: Certificate
  everyMs?: number
  /** Called with each certificate that is shown from then on. */
  onRenewed?: (certificate: Certificate) => void
  log: Log
}

/** Shows a new certificate as soon as both its files are there, without a restart; connections that are open stay so. Until
 * then, and when the new ones cannot be used, the old one is shown, and the log says why, once. Returns how to stop. */
export function renewCertificate(renewal: Renewal): () => void {
  const { server, files, certificate, everyMs = 10 * SECOND, onRenewed, log } = renewal
  let seen = certificate

  async function look(): Promise<string | undefined> {
    const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)])
    if (cert.equals(seen.cert) && key.equals(seen.key)) return undefined
    const problem = problemOfCertificate({ cert, key })
    if (problem) return problem
    if (server instanceof HttpsServer) server.setSecureContext(secureContextOf({ cert, key }))
    seen = { cert, key }
    onRenewed?.(seen)
    log.info({ event: 'certificate.renewed' }, 'a new certificate is shown')
    return undefined
  }

  const onProblem = (reason: string) =>
    log.error({ event: 'certificate.not_renewed', reason }, 'the old certificate is shown, the new one cannot be')
  return lookAgain({ look, everyMs, onProblem })
}
