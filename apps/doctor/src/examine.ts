import type { Credentials } from '@pay/mapper'
import { reasonOf, SECOND } from '@pay/service'
import { examineCertificateFiles } from './certificates.ts'
import { judgeClocks } from './clocks.ts'
import { examineConfiguration, type Role } from './configuration.ts'
import { type Finding, notChecked, ok, wrong } from './finding.ts'
import { examineDoors, examineFleet } from './fleet.ts'
import { examineKeys } from './keys.ts'
import { examineContents } from './ledger-contents.ts'
import { judgeMachine, readMachine } from './machine.ts'
import { examinePayconex } from './payconex.ts'
import { examineStore } from './redis-store.ts'
import { readSettings, type Settings } from './settings.ts'
import { within } from './within.ts'

export type Examination = {
  env: NodeJS.ProcessEnv
  roles: readonly Role[]
  credentials: Credentials | undefined
  /** Told what is still being waited for, now and then. */
  onWaiting: (parts: readonly string[]) => void
}

const WHOLE_MS = 13 * SECOND
const SAY_EVERY_MS = 2 * SECOND

/** Everything at once: each part has its own limits, and all of them together one more.
 *
 *  1 what needs nobody: configuration, keys, certificates in files, this machine
 *  2 side by side: queue, ledger, PayConex, the doors of our processes here
 *  3 what needs the servers: whose ledger it is, who is at work, the clocks */
export async function examine({ env, roles, credentials, onWaiting }: Examination): Promise<Finding[]> {
  const settings = readSettings(env)
  const machine = readMachine(env)
  const configuration = examineConfiguration(env, roles)
  const alone = [
    ...configuration,
    ...(configuration.some(({ seen }) => /ANSWER_BY_MS must|exceed ANSWER_BY_MS/.test(seen))
      ? []
      : [judgeTimes(settings)]),
    ...examineKeys(settings),
    ...examineCertificateFiles(settings),
    ...judgeMachine(machine, { ...settings, callers: roles.includes('gateway') ? settings.MAX_WAITING : 0 }),
  ]
  if (machine.dangers.some(({ refused }) => refused)) return [...alone, ...UNASKED]
  const opened: (() => void)[] = []
  const waiting = new Set<string>()
  const saying = setInterval(() => waiting.size > 0 && onWaiting([...waiting]), SAY_EVERY_MS)
  const until = performance.now() + WHOLE_MS

  /** Whatever comes in between, such as a mistake of ours, the others are heard. */
  async function part<Result>(
    name: string,
    work: Promise<Result>,
    none: (finding: Finding) => Result,
  ): Promise<Result> {
    waiting.add(name)
    const result = await within(until - performance.now(), work).catch((error: unknown) =>
      none(wrong(name, `it could not be looked at (${reasonOf(error)})`, 'report it: this is a mistake of the doctor')),
    )
    waiting.delete(name)
    return result ?? none(wrong(name, `nothing was known within ${WHOLE_MS / SECOND} s`, 'see what else is slow'))
  }
  const store = (kind: 'queue' | 'ledger') =>
    part(kind, examineStore({ kind, settings, roles, onOpened: (close) => opened.push(close) }), (finding) => ({
      findings: [finding],
      clocks: [],
      connections: undefined,
    }))
  const list = (name: string, work: Promise<Finding[]>) => part(name, work, (finding) => [finding])

  try {
    const [queue, ledger, payconex, doors] = await Promise.all([
      store('queue'),
      store('ledger'),
      part('PayConex', examinePayconex(settings, credentials), (finding) => ({
        findings: [finding],
        clock: undefined,
      })),
      list('ready here', examineDoors(env, settings)),
    ])
    const [contents, fleet] = await Promise.all([
      ledger.connections
        ? list('ledger: payments', examineContents(ledger.connections, queue.connections, settings))
        : [],
      queue.connections ? list('fleet', examineFleet(queue.connections, settings)) : [],
    ])
    const clocks = [...queue.clocks, ...ledger.clocks, ...(payconex.clock ? [payconex.clock] : [])]
    return [
      ...alone,
      ...queue.findings,
      ...ledger.findings,
      ...contents,
      ...fleet,
      ...doors,
      ...payconex.findings,
      ...judgeClocks(clocks),
    ]
  } finally {
    clearInterval(saying)
    for (const close of opened) close()
  }
}

/** A process that was started so would print or write the passwords and keys that it sends. */
const UNASKED = ['queue', 'ledger', 'PayConex', 'clocks'].map((name) =>
  notChecked(name, 'this process would print or write what it sends', 'set "this process" right, then look again'),
)

/** The configuration names times that contradict each other, but only where all the rest of it can be read. */
function judgeTimes({ SEND_BY_MS, PAYCONEX_TIMEOUT_MS, ANSWER_BY_MS, TRIES, TRY_TIMEOUT_MS }: Settings): Finding {
  const fit = SEND_BY_MS + PAYCONEX_TIMEOUT_MS <= ANSWER_BY_MS && ANSWER_BY_MS <= TRIES * TRY_TIMEOUT_MS
  const seconds = (ms: number) => `${ms / SECOND} s`
  const sent = `SEND_BY ${seconds(SEND_BY_MS)} + PAYCONEX_TIMEOUT ${seconds(PAYCONEX_TIMEOUT_MS)}`
  const heard = `ANSWER_BY ${seconds(ANSWER_BY_MS)} <= ${TRIES} x ${seconds(TRY_TIMEOUT_MS)}`
  const rule = `${sent} <= ${heard}`
  return fit ? ok('times', rule) : wrong('times', `not so: ${rule}`, 'set them so that it is')
}
