import { judgeExpiry } from './certificates.ts'
import type { secure } from './dial.ts'
import { type Finding, ok, wrong } from './finding.ts'

/** What to do where one comes no further than to a server's name, or its port. */
export const STAGES = {
  name: 'look whether the name is right and known to the DNS that this machine asks',
  port: 'look whether it runs, the port is right, and no firewall is in between',
} as const

type Seen = Awaited<ReturnType<typeof secure>>

export function judgeTls(name: string, where: string, seen: Seen): Finding[] {
  if (seen.kind === 'failed') {
    return [
      wrong(
        name,
        `${where}: no TLS (${seen.reason})`,
        'look whether that port speaks TLS 1.2 or newer; redis:// and http:// are without',
      ),
    ]
  }
  const { refused, protocol, validTo } = seen
  if (refused === undefined) return [ok(name, `${where}: ${protocol}`), judgeExpiry(name, 'its certificate', validTo)]
  return [wrong(name, `${where}: its certificate is not trusted (${refused})`, remedyForCertificate(refused))]
}

const remedyForCertificate = (code: string) => {
  if (/ALTNAME/.test(code)) return 'name it as its certificate does, or have the certificate name it as we do'
  if (/EXPIRED/.test(code)) return 'renew the certificate there'
  if (/NOT_YET/.test(code)) return 'look at the clocks: it is not good yet'
  return 'put the certificate of its authority in CA_FILE'
}
