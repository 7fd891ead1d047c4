import { styleText } from 'node:util'
import type { Ended, View } from './run.ts'
import { percent, type Verdict } from './verdict.ts'

/** The line that a run is known by. */
export function lineOf(seed: number, { verdict, kills, longestUnconfirmedMs, crashes }: Ended): string {
  const { payments, faults, counts, approved, silent, untouched, starved } = verdict
  const { charged_twice, false_answers, unresolved, partly_charged } = counts
  const values = { seed, payments, faults, kills, charged_twice, false_answers, unresolved }
  const more = {
    longest_unconfirmed_s: (longestUnconfirmedMs / 1000).toFixed(1),
    approved: percent(approved).replace(' ', ''),
    no_answer: percent(silent).replace(' ', ''),
    untouched,
    partly_charged,
    starved: percent(starved).replace(' ', ''),
    crashes: crashes.length,
  }
  return Object.entries({ ...values, ...more })
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

const SHOWN = 40

/** What is wrong, for people; the rest is in the folder. */
export function explain({ failures, kinds }: Verdict): string {
  const shown = failures.slice(0, SHOWN).map((line) => `  ${styleText('red', line)}`)
  const rest = failures.length > SHOWN ? [`  ... and ${failures.length - SHOWN} more`] : []
  return [...shown, ...rest, kindsOf(kinds)].join('\n')
}

const kindsOf = (kinds: ReadonlyMap<string, number>) =>
  `  touched by: ${[...kinds].map(([kind, share]) => `${kind} ${percent(share)}`).join(', ')}`

const OFTEN_MS = 1_000
const SELDOM_MS = 10_000

/** One line about how it goes: in place on a terminal every second, else every ten. Returns what ends it. */
export function showProgress({ callers, nemesis, watch }: View, payments: number): () => void {
  const { isTTY = false } = process.stderr
  const start = performance.now()
  const show = () => {
    const seconds = Math.round((performance.now() - start) / 1000)
    const heard = ['approved', 'declined', 'not_processed', 'unconfirmed', 'silence']
      .map((kind) => `${kind} ${callers.told(kind)}`)
      .join(', ')
    const line = `${seconds} s: ${callers.begun()} of ${payments} (${callers.underWay()} on the line); ${heard}; faults ${nemesis.deeds().length}, kills ${nemesis.kills()}; longest unconfirmed ${Math.round(watch.longestMs() / 1000)} s`
    process.stderr.write(isTTY ? `\r\u001b[K${line}` : `${line}\n`)
  }
  const timer = setInterval(show, isTTY ? OFTEN_MS : SELDOM_MS)
  return () => {
    clearInterval(timer)
    if (isTTY) process.stderr.write('\n')
  }
}
