import { Gauge, type Registry } from 'prom-client'

/** Shows until when the certificate holds that is shown to callers; nothing where a proxy has one and we have none. */
export function showCertificate(registry: Registry, validUntil: () => Date | undefined): void {
  new Gauge({
    name: 'pay_gateway_certificate_expiry_timestamp_seconds',
    help: 'When the certificate expires that callers are shown',
    registers: [registry],
    collect() {
      const until = validUntil()
      if (until) this.set(until.getTime() / 1000)
      else this.remove()
    },
  })
}
