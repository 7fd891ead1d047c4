import { type AuditLine, auditTrail } from '@pay/ledger'
import { shown } from '@pay/service'
import { EXIT } from './ending.ts'
import { stamp } from './moment.ts'
import type { Tools } from './run-command.ts'
import { print, printJson, say } from './terminal.ts'

/** What people did by hand, the oldest first within a shard: all, since a time, or to one payment. */
export async function audit({ args, desk, terminal }: Tools): Promise<number> {
  const keys = args.named && desk.keysOf(args.named, args.method)
  let found = 0
  for (const place of desk.places) {
    for await (const line of auditTrail(place, args.since)) {
      if (keys && !keys.includes(line.payment)) continue
      found += 1
      if (args.json) printJson(terminal, { ...line, by: shown(line.by), reason: shown(line.reason) })
      else print(terminal, textOf(line))
    }
  }
  if (found === 0) say(terminal, 'none')
  return EXIT.done
}

const textOf = ({ at, by, what, payment, attempt, from, to, reason, payconexId }: AuditLine): string => {
  const id = payconexId ? ` as ${payconexId}` : ''
  return `${stamp(at)}  ${shown(by)}  ${what}  ${payment}.${attempt}  ${from} > ${to}${id}  ${shown(reason)}`.trimEnd()
}
