import { compare } from './comparison.ts'
import { measureFanOut } from './fan-out.ts'
import { measureInFlight } from './in-flight.ts'
import { measureLedgerMemory } from './ledger-memory.ts'
import { measureOverload } from './overload.ts'
import { measureParts } from './parts.ts'
import { profile } from './profile.ts'
import type { Run } from './result.ts'
import { measureScaleOut } from './scale-out.ts'
import { measureSoak } from './soak.ts'

export type RunName = keyof typeof runs

/** Every run by its name. */
export const runs = {
  comparison: {
    about:
      'direct, plain and ours side by side: CPU, throughput, latency, memory, Redis. The default; about four minutes',
    run: compare,
  },
  'fan-out': { about: '1, 2, 4 and 8 gateways: what one payment costs Redis, plain and ours', run: measureFanOut },
  'in-flight': { about: '10,000 payments waiting at once on one gateway and one worker', run: measureInFlight },
  soak: { about: '30 minutes at 70 % of what can be done: memory, latency and ledger', run: measureSoak },
  overload: { about: 'twice what can be done, for a minute: goodput, refusals, recovery', run: measureOverload },
  'scale-out': {
    about: '1, 2 and 4 workers, then gateways, then 1 to 4 shards: throughput and cost',
    run: measureScaleOut,
  },
  'cpu-of-parts': { about: 'validation, mapping, sealing, opening and fingerprint in one process', run: measureParts },
  'ledger-memory': { about: 'what the ledger needs to remember one payment', run: measureLedgerMemory },
  profile: { about: 'where the CPU time of our gateway and worker goes (--cpu-prof)', run: profile },
} as const satisfies Record<string, { about: string; run: Run }>
