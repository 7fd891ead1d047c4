import { readFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'
import { type Danger, dangerousSettings } from '@pay/service'
import { type Finding, ok, warning, wrong } from './finding.ts'

/** What the kernel and Node say of a process that is started here. A text is absent where the system has none. */
export type Machine = {
  nodeVersion: string
  limits: string | undefined
  swaps: string | undefined
  swapLimit: string | undefined
  memoryLimit: string | undefined
  heapLimitBytes: number
  dangers: readonly Danger[]
}

export function readMachine(env: NodeJS.ProcessEnv): Machine {
  const limits = textOf('/proc/self/limits')
  return {
    nodeVersion: process.versions.node,
    limits,
    swaps: textOf('/proc/swaps'),
    swapLimit: textOf('/sys/fs/cgroup/memory.swap.max'),
    memoryLimit: textOf('/sys/fs/cgroup/memory.max'),
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    dangers: dangerousSettings({ env, execArgv: process.execArgv, limits }),
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

export type Wanted = {
  MODE: 'strict' | 'relaxed'
  /** How many callers a gateway may hold; none where only a worker is meant. */
  callers: number
}

export function judgeMachine(machine: Machine, { callers, MODE }: Wanted): Finding[] {
  return [
    judgeNode(machine.nodeVersion),
    ...judgeFiles(machine.limits, callers),
    ...judgeDangers(machine.dangers, MODE),
    ...judgeSwap(machine),
    ...judgeHeap(machine),
  ]
}

const OLDEST = [22, 22] as const

function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
  if (isOld) return wrong('Node', `version ${version}`, `use ${OLDEST.join('.')} or newer, better 24 LTS`)
  return ok('Node', `version ${version}`)
}

/** Connections that a gateway takes, some of them idle, and beside them those to Redis, files and the operators' door. */
const filesFor = (waiting: number) => waiting + Math.max(100, Math.ceil(waiting / 4)) + 100

function judgeFiles(limits: string | undefined, waiting: number): Finding[] {
  const [, text] = /^Max open files +(\S+)/m.exec(limits ?? '') ?? []
  if (text === undefined || text === 'unlimited' || waiting === 0) return []
  const needed = filesFor(waiting)
  const seen = `${text} open files are allowed, MAX_WAITING=${waiting} needs some ${needed}`
  const remedy = `ulimit -n ${needed} (Docker: --ulimit nofile=${needed}, systemd: LimitNOFILE=), or a lower MAX_WAITING`
  return [Number(text) < needed ? warning('open files', seen, remedy) : ok('open files', seen)]
}

/** What a start refuses in MODE=strict. */
function judgeDangers(dangers: readonly Danger[], mode: Wanted['MODE']): Finding[] {
  if (dangers.length === 0) return [ok('this process', 'nothing prints or writes cards and keys, no core dumps')]
  return dangers.map(({ setting, why, refused }) =>
    refused && mode === 'strict'
      ? wrong('this process', `${setting} ${why}`, `unset it: MODE=strict refuses to start with it`)
      : warning('this process', `${setting}: ${why}`, refused ? 'unset it' : 'start it with a core limit of 0'),
  )
}

/** Memory holds cards; what is swapped out is on a disk. */
function judgeSwap({ swaps, swapLimit }: Machine): Finding[] {
  if (swaps === undefined) return []
  const isOn = swaps.trim().split('\n').length > 1 && swapLimit?.trim() !== '0'
  if (!isOn) return [ok('swap', 'off')]
  return [warning('swap', 'memory, which holds cards, may be swapped to a disk', 'swapoff -a, or encrypt the swap')]
}

const MIB = 1024 * 1024

function judgeHeap({ heapLimitBytes, memoryLimit }: Machine): Finding[] {
  const limit = Number(memoryLimit?.trim())
  if (!Number.isFinite(limit) || limit <= 0) return []
  const seen = `Node may take a heap of ${mib(heapLimitBytes)}, the container has ${mib(limit)} in all`
  if (heapLimitBytes < limit) return [ok('memory of this process', seen)]
  const fitting = Math.floor((limit * 0.75) / MIB)
  return [
    warning('memory of this process', seen, `NODE_OPTIONS=--max-old-space-size=${fitting}, or a larger container`),
  ]
}

const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`
