import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createSimulator } from './app.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

interface Run {
  child: ChildProcess
  /** What it has said so far. */
  said: () => string
  /** Resolves with the first thing it says. */
  firstWord: Promise<string>
  exited: Promise<number | null>
}

/** Lends the program as a process of its own and ends it. */
async function withProgram(env: Record<string, string>, use: (run: Run) => Promise<void>, args: string[] = []) {
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env.PATH, ...env } })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  let said = ''
  const firstWord = new Promise<string>((resolve) => {
    const hear = (chunk: Buffer) => {
      said += chunk
      resolve(said)
    }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', hear)
  })
  try {
    await use({ child, said: () => said, firstWord, exited })
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

test.each(['SIGTERM', 'SIGINT'] as const)('it says where it listens, and %s ends it at once with 0', (signal) =>
  withProgram({ PORT: '0' }, async ({ child, firstWord, exited }) => {
    const said = await firstWord
    expect(said).toMatch(/^payconex-simulator listening on http:\/\/127\.0\.0\.1:\d+\n$/)
    const url = said.trim().split(' ').at(-1) ?? ''
    await fetch(`${url}/_sim/faults`, { method: 'POST', body: '{"fault":"hang","on":"any"}' })
    const hanging = fetch(`${url}/api/qsapi/3.8`, { method: 'POST' }).catch(() => 'cut off')
    await fetch(`${url}/`)

    child.kill(signal)

    expect(await exited).toBe(0)
    expect(await hanging).toBe('cut off')
  }),
)

test('it explains itself', () =>
  withProgram(
    {},
    async ({ said, exited }) => {
      expect(await exited).toBe(0)
      expect(said()).toContain('PORT')
    },
    ['--help'],
  ))

test('a port that is taken, or none, is a short message and exit code 1', async () => {
  const taken = await createSimulator().listen()
  try {
    for (const PORT of [new URL(taken.url).port, 'eighty']) {
      await withProgram({ PORT }, async ({ said, exited }) => {
        expect(await exited).toBe(1)
        expect(said()).toMatch(/^payconex-simulator cannot listen: .*\n$/)
      })
    }
  } finally {
    await taken.close()
  }
})
