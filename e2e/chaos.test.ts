import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const chaos = fileURLToPath(new URL('../scripts/chaos.ts', import.meta.url))

type Finished = { code: number; line: Record<string, string>; said: string }

/** The command as people run it; what it says on failing goes into the test's own failure. */
async function runChaos(...args: string[]): Promise<Finished> {
  const [code, line, said] = await new Promise<[number, string, string]>((resolve) => {
    execFile(process.execPath, [chaos, ...args], { maxBuffer: 8 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve([error ? Number(error.code ?? 1) : 0, stdout, stderr]),
    )
  })
  const folder = /are in (\S+)\s*$/.exec(said)?.[1]
  if (folder !== undefined) await rm(folder, { recursive: true })
  const values = line
    .trim()
    .split(' ')
    .map((pair) => pair.split('=') as [string, string])
  return { code, line: Object.fromEntries(values), said }
}

describe('a short run of chaos', () => {
  it('charges nobody twice, tells no falsehood and leaves nothing open, with every kind of fault', {
    timeout: 180_000,
  }, async () => {
    const { line, said } = await runChaos('--rush', '--payments', '600', '--rate', '20', '--seed', '6')

    expect(line, said).toMatchObject({ payments: '600', charged_twice: '0', false_answers: '0', unresolved: '0' })
    expect(Number(line.kills)).toBeGreaterThan(5)
    // How many were approved, and so the exit code, depends on what else this machine has to do.
    expect(Number.parseFloat(line.approved ?? ''), said).toBeGreaterThan(0)
    expect(line.crashes, said).toBe('0')
  })
})

describe('a run without one safeguard', () => {
  const few = [
    '--payments',
    '250',
    '--rate',
    '30',
    '--seed',
    '3',
    '--settle',
    '5',
    '--time-scale',
    '0.1',
    '--absence-margin',
    '6',
  ]

  it.each([
    ['fence', 'charged_twice'],
    ['attempt', 'false_answers'],
    ['lookup', 'charged_twice'],
  ])('--break %s: the oracle finds it (%s)', { timeout: 60_000 }, async (safeguard, count) => {
    const { code, line, said } = await runChaos('--break', safeguard, ...few)

    expect(Number(line[count]), said).toBeGreaterThan(0)
    expect(code).toBe(1)
  })
})
