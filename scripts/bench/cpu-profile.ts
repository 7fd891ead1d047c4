/** What Node writes with --cpu-prof, as far as it is read here. Times in microseconds.
 * https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export type CpuProfile = {
  nodes: readonly { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  startTime: number
  samples: readonly number[]
  timeDeltas: readonly number[]
}

export type Times = [name: string, microseconds: number][]

const IDLE = ['(idle)', '(root)']

/** From when to when, by the system's monotonic clock, as profiles have it. */
export type Span = { from: number; to: number }

/** Now, by that clock. */
export const monotonicMicroseconds = (): number => Number(process.hrtime.bigint() / 1000n)

/** Self time within a span, by function and by where it stands: a package, a folder of ours, Node itself; the most expensive first. */
export function selfTimes(
  { nodes, startTime, samples, timeDeltas }: CpuProfile,
  { from, to }: Span,
): { byPlace: Times; byFunction: Times } {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const byPlace = new Map<string, number>()
  const byFunction = new Map<string, number>()
  let at = startTime
  for (const [nth, id] of samples.entries()) {
    at += timeDeltas[nth] ?? 0
    const frame = frames.get(id)
    if (!frame || at < from || at > to || IDLE.includes(frame.functionName)) continue
    // A delta is the time before its sample.
    const took = timeDeltas[nth + 1] ?? 0
    const place = placeOf(frame)
    add(byPlace, place, took)
    add(byFunction, `${frame.functionName || '(anonymous)'} ${place}:${frame.lineNumber + 1}`, took)
  }
  return { byPlace: sorted(byPlace), byFunction: sorted(byFunction) }
}

function placeOf({ url, functionName }: { url: string; functionName: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native'
  const [, dependency] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
  if (dependency !== undefined) return dependency
  const [, ours] = /\/((?:apps|packages)\/[^/]+\/.+)$/.exec(url) ?? []
  return ours ?? url
}

function add(times: Map<string, number>, name: string, microseconds: number): void {
  times.set(name, (times.get(name) ?? 0) + microseconds)
}

const sorted = (times: ReadonlyMap<string, number>): Times => [...times].toSorted(([, one], [, other]) => other - one)
