import { describe, expect, it } from 'vitest'
import { dangerousSettings } from './dangerous-settings.ts'

const namesOf = (dangers: ReturnType<typeof dangerousSettings>) => dangers.map(({ setting }) => setting)

const limits = (core: string) => `Limit                     Soft Limit           Hard Limit           Units
Max stack size            8388608              unlimited            bytes
Max core file size        ${core.padEnd(20)} unlimited            bytes
`

describe('a variable of Node is dangerous', () => {
  it.each([
    ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
    ['NODE_DEBUG', 'http'],
    ['NODE_DEBUG_NATIVE', 'tls'],
    ['NODE_V8_COVERAGE', '/tmp'],
    ['SSLKEYLOGFILE', '/tmp/keys'],
    ['DEBUG', '*'],
    ['DEBUG', 'ioredis:*'],
  ])('%s=%s, and is named without its value', (name, value) => {
    const dangers = dangerousSettings({ env: { [name]: value }, execArgv: [] })

    expect(dangers).toEqual([{ setting: name, why: expect.any(String), refused: true }])
    if (value.length > 1) expect(JSON.stringify(dangers)).not.toContain(value)
  })

  it.each([
    ['NODE_TLS_REJECT_UNAUTHORIZED', '1'],
    ['NODE_DEBUG', ''],
    ['DEBUG', 'true'],
    ['NODE_ENV', 'production'],
    ['NODE_EXTRA_CA_CERTS', '/etc/ssl/own.pem'],
    ['NODE_OPTIONS', '--max-old-space-size=512 --enable-source-maps'],
  ])('but %s=%s is not', (name, value) => {
    expect(dangerousSettings({ env: { [name]: value }, execArgv: [] })).toEqual([])
  })
})

describe('a flag of Node is dangerous', () => {
  it.each([
    ['--inspect'],
    ['--inspect=0.0.0.0:9229', '--inspect'],
    ['--inspect-brk'],
    ['--inspect-wait'],
    ['--heapsnapshot-signal=SIGUSR2', '--heapsnapshot-signal'],
    ['--heapsnapshot-near-heap-limit=3', '--heapsnapshot-near-heap-limit'],
    ['--heap-prof'],
    ['--heap_prof', '--heap-prof'],
    ['--cpu-prof'],
    ['--prof'],
    ['--report-on-signal'],
    ['--report-uncaught-exception'],
    ['--report_on_fatalerror', '--report-on-fatalerror'],
    ['--abort-on-uncaught-exception'],
    ['--trace-tls'],
    ['--trace-event-categories=node.http', '--trace-event-categories'],
    ['--trace-uncaught'],
    ['--tls-keylog=/tmp/keys', '--tls-keylog'],
    ['--tls-min-v1.0'],
    ['--tls-cipher-list=ALL', '--tls-cipher-list'],
    ['--insecure-http-parser'],
    ['--security-revert=CVE-2023-46809', '--security-revert'],
    ['--experimental-config-file=/tmp/node.json', '--experimental-config-file'],
    ['--experimental-default-config-file'],
  ])('%s, however it was given', (given, name = given) => {
    const options = [`${given}`, `--no-warnings ${given}`, ` "${given}"  --no-warnings`]

    expect(namesOf(dangerousSettings({ env: {}, execArgv: [given] }))).toEqual([name])
    for (const NODE_OPTIONS of options)
      expect(namesOf(dangerousSettings({ env: { NODE_OPTIONS }, execArgv: [] }))).toEqual([name])
  })

  it.each(['--inspect-port=9229', '--trace-warnings', '--report-exclude-env', '--disable-sigusr1', '--tls-min-v1.3'])(
    'but %s is not',
    (given) => {
      expect(dangerousSettings({ env: {}, execArgv: [given] })).toEqual([])
    },
  )

  it.each(['--in"spect"', '"--in\\spect=0"', '--heap_"prof"'])('%s, as Node takes quotes and backslashes', (given) => {
    expect(dangerousSettings({ env: { NODE_OPTIONS: given }, execArgv: [] })).toHaveLength(1)
  })

  it('and is named once where it was given twice', () => {
    const start = { env: { NODE_OPTIONS: '--inspect' }, execArgv: ['--inspect=1'] }

    expect(namesOf(dangerousSettings(start))).toEqual(['--inspect'])
  })
})

it('an open debugger is dangerous, whoever opened it', () => {
  const dangers = dangerousSettings({ env: {}, execArgv: [], isDebugged: true })

  expect(dangers).toEqual([{ setting: 'an open debugger', why: expect.any(String), refused: true }])
})

describe('core dumps', () => {
  it.each(['unlimited', '1048576'])('of %s are worth a word, which says what to do', (core) => {
    const [danger, ...more] = dangerousSettings({ env: {}, execArgv: [], limits: limits(core) })

    expect(danger).toMatchObject({ setting: 'core dumps', refused: false, why: expect.stringContaining('ulimit -c 0') })
    expect(more).toEqual([])
  })

  it('of nothing are none', () => {
    expect(dangerousSettings({ env: {}, execArgv: [], limits: limits('0') })).toEqual([])
  })
})
