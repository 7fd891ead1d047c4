/** A calendar day of a time zone, `2026-11-28`. */
export const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && shifted(text, 0) === text

/** The day so many days later, or earlier where negative. */
export function shifted(day: string, days: number): string {
  const at = new Date(`${day}T00:00:00Z`)
  at.setUTCDate(at.getUTCDate() + days)
  return at.toISOString().slice(0, 'YYYY-MM-DD'.length)
}

/** All days from the first to the last, both included. */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = []
  for (let day = first; day <= last; day = shifted(day, 1)) days.push(day)
  return days
}

export const isZone = (zone: string): boolean => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
  } catch {
    return false
  }
}

/** Which day it is there at a time in ms. Swedes write dates as we do. */
export const dayAt = (ms: number, zone: string): string =>
  new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone: zone }).format(ms)

const HOUR = 60 * 60 * 1000

/** When a day begins there, in ms: the first moment of that date, however many hours the day before had. */
export function startOf(day: string, zone: string): number {
  const middle = Date.parse(`${day}T00:00:00Z`)
  const format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone: zone })
  let [before, from] = [middle - 24 * HOUR, middle + 24 * HOUR]
  while (from - before > 1) {
    const between = Math.floor((before + from) / 2)
    if (format.format(between) < day) before = between
    else from = between
  }
  return from
}
