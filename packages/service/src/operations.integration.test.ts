import { connect } from 'node:net'
import { Counter, Gauge, Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { ConfigurationError } from './environment.ts'
import { portOf, startOperations } from './operations.ts'

const opened: (() => unknown)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function openDoor({ problems = [] as string[], partly = [] as string[], metrics = new Registry() } = {}) {
  const asked = { problems: () => problems, partly: () => partly, metrics }
  const server = await startOperations({ port: 0, host: '127.0.0.1', ...asked })
  opened.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const port = portOf(server)
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
  }
  /** A request line as no client would write it; gives what is answered first. */
  const write = (line: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      const done = (heard: string) => {
        socket.destroy()
        resolve(heard)
      }
      socket.on('data', (chunk) => done(String(chunk)))
      socket.on('close', () => done(''))
      socket.on('error', () => done(''))
      socket.write(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`)
    })
  return { ask, write, port }
}

describe('the operators’ door', () => {
  it('says that the process lives, whatever is missing', async () => {
    const { ask } = await openDoor({ problems: ['queue', 'ledger'] })

    expect(await ask('/livez')).toMatchObject({ status: 200, text: 'alive\n' })
  })

  it('says that it is ready when nothing is missing', async () => {
    const { ask } = await openDoor()

    expect(await ask('/readyz')).toEqual({ status: 200, type: 'text/plain; charset=utf-8', text: 'ready\n' })
  })

  it('names what is missing, as it is at that moment', async () => {
    const problems = ['queue', 'ledger']
    const { ask } = await openDoor({ problems })
    expect(await ask('/readyz')).toMatchObject({ status: 503, text: 'not ready: queue, ledger\n' })

    problems.length = 0

    expect(await ask('/readyz')).toMatchObject({ status: 200 })
  })

  it('is ready where only some payments cannot be served, and says which', async () => {
    const { ask } = await openDoor({ partly: ['ledger s1', 'ledger s4'] })

    expect(await ask('/readyz')).toMatchObject({ status: 200, text: 'ready, but not for ledger s1, ledger s4\n' })
  })

  it('shows the metrics in Prometheus’ format', async () => {
    const metrics = new Registry()
    new Counter({ name: 'pay_tests_total', help: 'tests', registers: [metrics] }).inc(3)
    const { ask } = await openDoor({ metrics })

    const page = await ask('/metrics')

    expect(page.type).toBe(metrics.contentType)
    expect(page.text).toContain('pay_tests_total 3')
  })

  it('shows what is missing among the metrics, too, as long as it is', async () => {
    const problems = ['ledger']
    const { ask } = await openDoor({ problems })
    expect((await ask('/metrics')).text).toContain('pay_problem{problem="ledger"} 1')

    problems.length = 0

    expect((await ask('/metrics')).text).not.toContain('pay_problem{')
  })

  it.each(['/', '/livez/', '/metrics/all', '/LIVEZ', '/..%2flivez', '/constructor'])(
    'knows no other page: %s',
    async (path) => {
      const { ask } = await openDoor()

      expect(await ask(path)).toMatchObject({ status: 404, text: 'not found\n' })
    },
  )

  it('does not mind a query', async () => {
    const { ask } = await openDoor()

    expect(await ask('/readyz?verbose')).toMatchObject({ status: 200 })
  })

  it.each(['GET //', 'GET http://', 'GET /%zz', 'OPTIONS *', 'GET /\\', 'GET ///livez'])(
    'outlives a target that is no URL: %s',
    async (line) => {
      const { ask, write } = await openDoor()

      await write(line)

      expect(await ask('/livez')).toMatchObject({ status: 200 })
    },
  )

  it('outlives a metric that cannot be collected', async () => {
    const metrics = new Registry()
    const collect = () => {
      throw new Error('4111111111111111')
    }
    new Gauge({ name: 'pay_broken', help: 'broken', registers: [metrics], collect })
    const { ask } = await openDoor({ metrics })

    expect(await ask('/metrics')).toMatchObject({ status: 500, text: 'error\n' })
    expect(await ask('/livez')).toMatchObject({ status: 200 })
  })

  it('whose port is taken is named by its variable', async () => {
    const { port } = await openDoor()

    const second = startOperations({ port, host: '127.0.0.1', problems: () => [], metrics: new Registry() })

    await expect(second).rejects.toThrow(
      new ConfigurationError([`OPS_PORT: port ${port} is in use by another process`]),
    )
  })
})
