const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A time both ways, for people: `2026-11-29 08:41:03Z, 3 min ago`. */
export const moment = (at: number, now: number): string => `${stamp(at)}, ${relative(at, now)}`

/** To the second, in UTC, as logs have it. */
export const stamp = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`

export function relative(at: number, now: number): string {
  const distance = Math.abs(now - at)
  if (distance < SECOND) return 'now'
  return at < now ? `${duration(distance)} ago` : `in ${duration(distance)}`
}

/** The largest unit and the next one, where that is not nothing: `3 min 4 s`. */
export function duration(ms: number): string {
  const nth = UNITS.findIndex(([, unit]) => ms >= unit)
  if (nth === -1) return `${Math.round(ms)} ms`
  const [name, unit] = UNITS[nth] ?? UNITS[0]
  const [smaller, size] = UNITS[nth + 1] ?? ['', Number.POSITIVE_INFINITY]
  const rest = Math.floor((ms % unit) / size)
  return `${Math.floor(ms / unit)} ${name}${rest > 0 ? ` ${rest} ${smaller}` : ''}`
}

const UNITS: readonly [readonly [string, number], ...(readonly [string, number])[]] = [
  ['d', DAY],
  ['h', HOUR],
  ['min', MINUTE],
  ['s', SECOND],
]

const SPANS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }

/** `15m` before now, or a date as it is written in ISO 8601; undefined where it is neither. */
export function since(text: string, now: number): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count !== undefined) return now - Number(count) * (SPANS[unit] ?? 0)
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}
