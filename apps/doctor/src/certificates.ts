import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Finding, notChecked, ok, warning, wrong } from './finding.ts'
import type { Settings } from './settings.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const SOON_DAYS = 21

/** How long a certificate is still good for. */
export function judgeExpiry(name: string, what: string, validTo: Date, now = Date.now()): Finding {
  const days = Math.floor((validTo.getTime() - now) / DAY_MS)
  const day = Number.isNaN(days) ? 'an unknown day' : validTo.toISOString().slice(0, 10)
  if (days < 0) return wrong(name, `${what} expired on ${day}`, 'renew it now')
  const seen = `${what} is good for ${days} more days, until ${day}`
  return days < SOON_DAYS ? warning(name, seen, 'renew it') : ok(name, seen)
}

/** The certificates in files of ours: what the gateway shows, and the authorities in CA_FILE. */
export const examineCertificateFiles = ({ TLS_CERT_FILE, CA_FILE }: Settings): Finding[] => [
  ...(TLS_CERT_FILE ? inFile('TLS_CERT_FILE', TLS_CERT_FILE).slice(0, 1) : []),
  ...(CA_FILE ? inFile('CA_FILE', CA_FILE) : []),
]

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

function inFile(variable: string, path: string): Finding[] {
  try {
    const found = (readFileSync(path, 'utf8').match(PEM) ?? []).map((pem) => new X509Certificate(pem))
    return found.map((certificate) => judgeExpiry(variable, nameOf(certificate), certificate.validToDate))
  } catch {
    return [notChecked(variable, 'the file holds no certificate that can be read')]
  }
}

const nameOf = ({ subject }: X509Certificate) => /^CN=(.*)$/m.exec(subject)?.[1] ?? 'a certificate'
