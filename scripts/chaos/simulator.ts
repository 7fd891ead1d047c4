import { setTimeout as sleep } from 'node:timers/promises'
import type { Charge } from './oracle.ts'

export type SimulatorControl = ReturnType<typeof createSimulatorControl>

/** The remote control of the simulator. It is asked without a proxy, and never broken: it is the witness. */
export function createSimulatorControl(url: string) {
  const headers = { 'content-type': 'application/json' }
  const request = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}/_sim${path}`, init)
    if (!response.ok) throw new Error(`the simulator answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  return {
    /** Faults of one label are taken back together. */
    fault: (label: string, fault: Record<string, unknown>) =>
      request('/faults', { method: 'POST', headers, body: JSON.stringify({ ...fault, label }) }),
    takeBack: (label: string) => request(`/faults?label=${encodeURIComponent(label)}`, { method: 'DELETE' }),
    clearFaults: () => request('/faults', { method: 'DELETE' }),
    /** Resolves once it works on nothing any more, or after the limit. */
    async quiet(limitMs: number): Promise<void> {
      const deadline = performance.now() + limitMs
      while (performance.now() < deadline) {
        const { held } = (await request('/faults')) as { held: number }
        if (held === 0) return
        await sleep(100)
      }
    },
    charges: async (): Promise<Charge[]> => ((await request('/ledger')) as { transactions: Charge[] }).transactions,
  }
}
