import type { Credentials } from '@pay/mapper'
import { SECOND } from '@pay/service'
import { examineCertificateFiles } from './certificates.ts'
import { judgeClocks } from './clocks.ts'
import { examineConfiguration, type Role } from './configuration.ts'
import { type Finding, notChecked, ok, wrong } from './finding.ts'
import { examineDoors, examineFleet } from './fleet.ts'
import { examineKeys } from './keys.ts'
import { examineContents } from './ledger-contents.ts'
import { judgeMachine, type Machine, readMachine } from './machine.ts'
import { createParts, type Parts, type PartsOptions } from './parts.ts'
import { examinePayconex } from './payconex.ts'
import { type Examined, examineStore } from './redis-store.ts'
import { readSettings, type Settings } from './settings.ts'

export type Examination = PartsOptions & {
  env: NodeJS.ProcessEnv
  roles: readonly Role[]
  credentials: Credentials | undefined
}

/** Everything: first what needs nobody else, then all others at once. */
export async function examine({ env, roles, credentials, ...options }: Examination): Promise<Finding[]> {
  const settings = readSettings(env)
  const machine = readMachine(env)
  const patient = { env, roles, credentials, settings, machine }
  const alone = examineAlone(patient)
  if (machine.dangers.some(({ refused }) => refused)) return [...alone, ...UNASKED]
  const parts = createParts(options)
  const opened: (() => void)[] = []
  try {
    return [...alone, ...(await examineOthers(patient, parts, (close) => opened.push(close)))]
  } finally {
    parts.stop()
    for (const close of opened) close()
  }
}

type Patient = Pick<Examination, 'env' | 'roles' | 'credentials'> & { settings: Settings; machine: Machine }

/** A process that was started so would print or write the passwords and keys that it sends. */
const UNASKED = ['queue', 'ledger', 'PayConex', 'clocks'].map((name) =>
  notChecked(name, 'this process would print or write what it sends', 'set "this process" right, then look again'),
)

function examineAlone({ env, roles, settings, machine }: Patient): Finding[] {
  const configuration = examineConfiguration(env, roles)
  const areTimesNamed = configuration.some(({ state, seen }) => state === 'wrong' && seen.includes('exceed'))
  const callers = roles.includes('gateway') ? settings.MAX_WAITING : 0
  return [
    ...configuration,
    ...(areTimesNamed ? [] : [judgeTimes(settings)]),
    ...examineKeys(settings),
    ...examineCertificateFiles(settings),
    ...judgeMachine(machine, { MODE: settings.MODE, callers }),
  ]
}

/** The configuration names times that contradict each other, but only where all the rest of it can be read. */
function judgeTimes({ SEND_BY_MS, PAYCONEX_TIMEOUT_MS, ANSWER_BY_MS, TRIES, TRY_TIMEOUT_MS }: Settings): Finding {
  const fit = SEND_BY_MS + PAYCONEX_TIMEOUT_MS <= ANSWER_BY_MS && ANSWER_BY_MS <= TRIES * TRY_TIMEOUT_MS
  const seconds = (ms: number) => `${ms / SECOND} s`
  const sent = `SEND_BY ${seconds(SEND_BY_MS)} + PAYCONEX_TIMEOUT ${seconds(PAYCONEX_TIMEOUT_MS)}`
  const rule = `${sent} <= ANSWER_BY ${seconds(ANSWER_BY_MS)} <= ${TRIES} x ${seconds(TRY_TIMEOUT_MS)}`
  return fit ? ok('times', rule) : wrong('times', `not so: ${rule}`, 'set them so that it is')
}

type OnOpened = (close: () => void) => void

/** 1 side by side: queue, ledger, PayConex, the doors of our processes here
 *  2 what needs the servers: whose ledger it is, who is at work, the clocks */
async function examineOthers(patient: Patient, { part, list }: Parts, onOpened: OnOpened): Promise<Finding[]> {
  const { env, roles, credentials, settings } = patient
  const unreached = (finding: Finding): Examined => ({ findings: [finding], clocks: [], connections: undefined })
  const store = (kind: 'queue' | 'ledger') => part(kind, examineStore({ kind, settings, roles, onOpened }), unreached)
  const [queue, ledger, payconex, doors] = await Promise.all([
    store('queue'),
    store('ledger'),
    part('PayConex', examinePayconex(settings, credentials), (finding) => ({ findings: [finding], clock: undefined })),
    list('ready here', examineDoors(env, settings)),
  ])
  const [contents, fleet] = await Promise.all([
    ledger.connections ? list('payments', examineContents(ledger.connections, queue.connections, settings)) : [],
    queue.connections ? list('fleet', examineFleet(queue.connections, settings)) : [],
  ])
  const clocks = judgeClocks([...queue.clocks, ...ledger.clocks, ...(payconex.clock ? [payconex.clock] : [])])
  return [...queue.findings, ...ledger.findings, ...contents, ...fleet, ...doors, ...payconex.findings, ...clocks]
}
