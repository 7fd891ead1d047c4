import { createFaults } from './faults.ts'
import { createJournal } from './journal.ts'
import { createLedger } from './ledger.ts'
import { createLines } from './line.ts'
import { createReservations } from './reservations.ts'
import { createSettings } from './settings.ts'

export type World = ReturnType<typeof createWorld>

/** Everything one simulator remembers. It lives in memory only. */
export function createWorld() {
  const settings = createSettings()
  const parts = {
    settings,
    ledger: createLedger(),
    reservations: createReservations(settings),
    faults: createFaults(),
    journal: createJournal(),
  }
  const lines = createLines()

  return {
    ...parts,
    lines,
    /** As at the start. Requests that are held or delayed are cut off and commit nothing; ids go on rising. */
    reset() {
      lines.cutAll()
      for (const part of Object.values(parts)) part.clear()
    },
  }
}
