import { z } from 'zod'

/** What a used id leads to: an error, the first answer once more, or a second charge. */
const repeatRule = z.enum(['refuse', 'replay', 'accept'])

const MAX_DELAY_MS = 10 * 60 * 1000

const MAX_SHIFT_MS = 1000 * 24 * 60 * 60 * 1000

const delayMs = z.number().int().min(0).max(MAX_DELAY_MS)

const schema = z.strictObject({
  /** A reserved id that already carries a transaction. Bluefin documents a refusal, but not its words. */
  usedId: repeatRule,
  /** A repeat that arrives while the first request with that id is still being processed. Not documented at all. */
  usedIdInFlight: repeatRule,
  /** False: the sent transaction_id is ignored, and the answer comes under another id. */
  honourReservedIds: z.boolean(),
  /** Every QSAPI request takes a time between these two before it is committed. */
  minDelayMs: delayMs,
  maxDelayMs: delayMs,
  /** A status request finds a transaction only this long after its commit, as on a replica that lags. */
  statusLagMs: delayMs,
  /** Whether RSAPI looks at custom_id. Nobody has confirmed that it does. */
  reportFiltersByCustomId: z.boolean(),
  /** So far PayConex' clock, and with it every timestamp, is ahead of this machine's; behind it where negative. */
  clockShiftMs: z.number().int().min(-MAX_SHIFT_MS).max(MAX_SHIFT_MS),
})

type Settings = z.infer<typeof schema>

export type RepeatRule = z.infer<typeof repeatRule>

/** What a control request may change: any of the settings, and nothing else. */
export const settingsChange = schema.partial()

const atStart: Settings = {
  usedId: 'refuse',
  usedIdInFlight: 'refuse',
  honourReservedIds: true,
  minDelayMs: 0,
  maxDelayMs: 0,
  statusLagMs: 0,
  reportFiltersByCustomId: true,
  clockShiftMs: 0,
}

export type SettingsBox = ReturnType<typeof createSettings>

export function createSettings() {
  let current = atStart
  return {
    get current(): Settings {
      return current
    },
    change(changes: z.infer<typeof settingsChange>) {
      current = schema.parse({ ...current, ...changes })
    },
    clear() {
      current = atStart
    },
  }
}
