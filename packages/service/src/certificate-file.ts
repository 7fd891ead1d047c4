import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readableFile } from './environment.ts'

/** The path of a file of one or more certificates in PEM. A file without one would trust nobody, and be noticed only when nobody could
 * be reached. */
export const certificateFile = readableFile.refine(holdsCertificates, {
  message: 'the file must hold certificates in PEM',
})

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*(?:-----END CERTIFICATE-----)?/g

function holdsCertificates(path: string): boolean {
  try {
    const found = readFileSync(path, 'utf8').match(CERTIFICATE) ?? []
    return found.length > 0 && found.every((pem) => new X509Certificate(pem).subject !== undefined)
  } catch {
    return false
  }
}
