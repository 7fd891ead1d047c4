import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../../../scripts/process/child.ts'

const children: Child[] = []

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop(0)))
})

/** Says what every program below has at hand. */
const PREAMBLE = `
  import { setTimeout as sleep } from 'node:timers/promises'
  const [{ run }, { ConfigurationError }, { createLog }] = await Promise.all(
    ['run.ts', 'environment.ts', 'log.ts'].map((file) => import(new URL(file, process.argv[1]).href)),
  )
  const say = (text) => process.stdout.write(text + '\\n')
  const serving = setInterval(() => undefined, 1000)
`

/** A process of its own whose life is `run`. */
async function start(program: string) {
  const lines: string[] = []
  const child = await startChild({
    name: 'a program',
    program: process.execPath,
    args: ['--input-type=module', '-e', PREAMBLE + program, import.meta.url],
    env: {},
    onLine: (line) => void lines.push(line),
  })
  children.push(child)
  const says = (line: string) => expect.poll(() => lines, { timeout: 5000 }).toContain(line)
  return { lines, child, says }
}

const SERVING = `
  await run(async () => ({
    drain: async () => { say('draining'); await sleep(100); clearInterval(serving); say('drained') },
    flush: () => say('flushed'),
  }))
  say('serving')
`

const STUCK = `
  await run(async () => ({
    drain: async () => { say('draining'); await sleep(60_000) },
    flush: () => say('flushed'),
  }))
  say('serving')
`

const failing = (error: string) => `
  await run(async () => { throw ${error} })
  say('serving')
`

describe('a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('drains, writes its log and exits with 0 at %s', async (signal) => {
    const { child, lines, says } = await start(SERVING)
    await says('serving')

    child.kill(signal)

    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(lines).toEqual(['serving', 'draining', 'drained', 'flushed'])
  })

  it('drains also when the signal comes in the moment in which it begins to serve', async () => {
    const { child, lines, says } = await start(`
      await run(async () => {
        say('serving')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
        return { drain: async () => say('drained'), flush: () => say('flushed') }
      })
    `)
    await says('serving')

    child.kill('SIGTERM')

    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(lines).toEqual(['serving', 'drained', 'flushed'])
  })

  it('that is still starting ends at once with 1', async () => {
    const { child, lines, says } = await start(`
      await run(async () => { say('starting'); await sleep(60_000) })
    `)
    await says('starting')

    child.kill('SIGTERM')

    expect(await child.exited).toEqual({ code: 1, signal: null })
    expect(lines).toEqual(['starting'])
  })

  it('takes the Ctrl-C that npm passes on besides the terminal’s for one', async () => {
    const { child, says } = await start(SERVING)
    await says('serving')

    child.kill('SIGINT')
    await says('draining')
    child.kill('SIGINT')

    expect(await child.exited).toEqual({ code: 0, signal: null })
  })

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
  ] as const)('exits at once with 1 when %s is followed by %s', async (first, second) => {
    const { child, lines, says } = await start(STUCK)
    await says('serving')
    child.kill(first)
    await says('draining')
    await sleep(250)

    child.kill(second)

    expect(await child.exited).toEqual({ code: 1, signal: null })
    expect(lines).not.toContain('flushed')
  })

  it('writes the last lines of its log before it ends', async () => {
    const { child, lines, says } = await start(`
      const log = createLog({ name: 'test', level: 'info', pretty: false })
      await run(async () => ({
        drain: async () => { for (let line = 1; line <= 100; line += 1) log.info({ count: line }, 'draining') },
        flush: () => log.flush(),
      }))
      say('serving')
    `)
    await says('serving')

    child.kill('SIGTERM')
    await child.exited

    const logged = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
    // The first line may still be on its way when the rest is flushed, so their order is not promised.
    const counts = logged.map(({ count }) => count).sort((left, right) => left - right)
    expect(counts).toEqual(Array.from({ length: 100 }, (_, nth) => nth + 1))
  })

  it('that cannot drain exits with 1 and says why, without the message of the error', async () => {
    const { child, lines, says } = await start(`
      await run(async () => ({ drain: async () => { throw new TypeError('4111111111111111') }, flush: () => undefined }))
      say('serving')
    `)
    await says('serving')

    child.kill('SIGTERM')

    expect(await child.exited).toEqual({ code: 1, signal: null })
    expect(lines).toContain('could not go on: TypeError')
    expect(lines.join()).not.toContain('4111')
  })
})

describe('a debugger', () => {
  it('is not opened by SIGUSR1, and the process serves on', async () => {
    const { child, lines, says } = await start(SERVING)
    await says('serving')

    child.kill('SIGUSR1')
    await sleep(300)
    child.kill('SIGTERM')

    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(lines).toEqual(['serving', 'draining', 'drained', 'flushed'])
  })
})

describe('a report of Node', () => {
  it('has no environment, and none is written by itself', async () => {
    const { child, lines } = await start(`
      await run(async () => ({ drain: async () => undefined, flush: () => undefined }))
      const { report } = process
      say(JSON.stringify([report.reportOnSignal, report.reportOnFatalError, report.reportOnUncaughtException]))
      say(typeof report.getReport().environmentVariables)
      process.exit(0)
    `)

    await child.exited

    expect(lines).toEqual(['[false,false,false]', 'undefined'])
  })
})

describe('a way to start that gives secrets away', () => {
  const CHECKING = (mode: string) => `
    const { checkProcess } = await import(new URL('check-process.ts', process.argv[1]).href)
    process.env.NODE_DEBUG = 'http'
    process.execArgv.push('--inspect=127.0.0.1:0')
    const log = { warn: ({ setting }, why) => say(setting + ': ' + why) }
    await run(async () => {
      checkProcess({ MODE: '${mode}' }, log)
      return { drain: async () => undefined, flush: () => undefined }
    })
    say('serving')
    process.exit(0)
  `
  const PROBLEMS = ['NODE_DEBUG: prints requests with their cards', '--inspect: lets a debugger read the memory']

  it('is refused in strict mode, all of it at once', async () => {
    const { child, lines } = await start(CHECKING('strict'))

    expect(await child.exited).toEqual({ code: 1, signal: null })

    expect(lines).toEqual(['the environment cannot be used:', ...PROBLEMS.map((problem) => `  - ${problem}`)])
  })

  it('is refused in strict mode when a debugger is open and nobody asked for one, as after an early SIGUSR1', async () => {
    const { child, lines } = await start(`
      const { open } = await import('node:inspector')
      const { checkProcess } = await import(new URL('check-process.ts', process.argv[1]).href)
      open(0, '127.0.0.1')
      await run(async () => checkProcess({ MODE: 'strict' }, { warn: () => undefined }))
    `)

    expect(await child.exited).toEqual({ code: 1, signal: null })

    expect(lines).toContain('  - an open debugger: reads the memory')
  })

  it('is a warning in relaxed mode', async () => {
    const { child, lines } = await start(CHECKING('relaxed'))

    expect(await child.exited).toEqual({ code: 0, signal: null })

    expect(lines).toEqual(expect.arrayContaining([...PROBLEMS, 'serving']))
  })
})

describe('a start that fails', () => {
  it('because of the environment prints every problem and no stack, and exits with 1', async () => {
    const { child, lines } = await start(failing(`new ConfigurationError(['A: is required', 'B: is required'])`))

    expect(await child.exited).toEqual({ code: 1, signal: null })

    expect(lines).toEqual(['the environment cannot be used:', '  - A: is required', '  - B: is required'])
  })

  it('because of the environment, before its first promise, prints it just the same', async () => {
    const { child, lines } = await start(`await run(() => { throw new ConfigurationError(['A: is required']) })`)

    expect(await child.exited).toEqual({ code: 1, signal: null })

    expect(lines).toEqual(['the environment cannot be used:', '  - A: is required'])
  })

  it.each([
    ['an error', `new RangeError('4111111111111111')`, 'could not go on: RangeError'],
    ['an error with a code', `Object.assign(new Error('4111'), { code: 'EFOO' })`, 'could not go on: Error EFOO'],
    ['what is no error', `'4111111111111111'`, 'could not go on: string'],
    ['a message that looks like a stack', `new Error('no\\n    at 4111111111111111')`, 'could not go on: Error'],
  ])('because of %s says which and where, but not its message', async (_, error, first) => {
    const { child, lines } = await start(failing(error))

    expect(await child.exited).toEqual({ code: 1, signal: null })

    expect(lines[0]).toBe(first)
    expect(lines.join()).not.toContain('4111')
    expect(lines).not.toContain('serving')
  })
})

/** As axios makes it: the request with the card hangs on the error. */
const BUG = `Object.assign(new Error('4111111111111111'), { name: 'AxiosError', code: 'EFOO', config: { data: 'card=4111' } })`

describe('a bug that nobody caught', () => {
  it.each([
    ['thrown', `setTimeout(() => { throw ${BUG} }, 10)`],
    ['rejected', `setTimeout(() => void Promise.reject(${BUG}), 10)`],
  ])('and was %s ends the process with 1 and is named, without its message and its properties', async (_, bug) => {
    const { child, lines, says } = await start(`${SERVING}; ${bug}`)
    await says('serving')

    expect(await child.exited).toEqual({ code: 1, signal: null })

    expect(lines).toContain('could not go on: AxiosError EFOO')
    expect(lines.join()).not.toContain('4111')
    expect(lines).not.toContain('draining')
  })

  it('before the start is over is treated alike', async () => {
    const { child, lines } = await start(`
      await run(async () => { setTimeout(() => { throw ${BUG} }, 10); await sleep(60_000) })
    `)

    expect(await child.exited).toEqual({ code: 1, signal: null })

    expect(lines[0]).toBe('could not go on: AxiosError EFOO')
    expect(lines.join()).not.toContain('4111')
  })

  it('and is no error at all is named by its kind', async () => {
    const { child, lines } = await start(`${SERVING}; void Promise.reject('4111111111111111')`)

    expect(await child.exited).toEqual({ code: 1, signal: null })

    expect(lines).toContain('could not go on: string')
    expect(lines.join()).not.toContain('4111')
  })
})
