import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc, { type Arbitrary } from 'fast-check'
import { expect, it } from 'vitest'
import { type Door, visaCharge, withApp } from './testing.ts'
import { broken, conversations, type Hostile, lingering, SMUGGLED } from './testing-hostile.ts'

const ROUNDS = 5
/** Per round; a conversation has twenty requests. */
const CONVERSATIONS = 160
const BROKEN = 800
const LINGERING = 120
const AT_ONCE = 48
const HANG_MS = 20_000
const MAY_GROW_BYTES = 8 * 1024 * 1024

const SECOND = 1000
/** Shorter than real ones, but long enough for a busy machine. */
const limits = {
  headersTimeout: 2 * SECOND,
  requestTimeout: 2 * SECOND,
  keepAliveTimeout: 1 * SECOND,
  connectionsCheckingInterval: 100,
}

const APPROVED = '000000012345'
const STATUSES = new Set(['200', '400', '401', '404', '405', '413', '417', '431'])

it('no hostile request of twenty thousand crashes the door, makes it hang, grow or pay', async () => {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
  const started = performance.now()
  const heaps: number[] = []
  const sum = { requests: 0, bytes: 0, answers: 0, paid: 0 }

  await withApp(
    async (door) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const cases = casesOf(seed + round)
        await playAll(door, cases, seed, sum)
        expect(door.lines.filter(({ level }) => level !== 'info')).toEqual([])
        expect(door.tries.filter(({ body }) => JSON.stringify(body).includes(SMUGGLED))).toEqual([])
        sum.paid += door.tries.length
        door.tries.length = 0
        door.lines.length = 0
        heaps.push(await memoryUsed())
      }

      const { json } = await door.ask({ body: JSON.stringify(visaCharge) })
      expect(json).toEqual({ charge_id: APPROVED, error_code: null, error_message: null })
      const connections = () => new Promise((resolve) => door.server.getConnections((_, count) => resolve(count)))
      await expect.poll(connections, { timeout: 5 * SECOND }).toBeLessThanOrEqual(1)
    },
    { limits },
  )

  const seconds = (performance.now() - started) / SECOND
  const grown = (heaps.at(-1) ?? 0) - (heaps[1] ?? 0)
  process.stdout.write(
    `door: ${sum.requests} hostile requests (${(sum.bytes / 2 ** 20).toFixed(0)} MiB, seed ${seed}) in ${seconds.toFixed(1)} s, ` +
      `${(sum.requests / seconds).toFixed(0)}/s; ${sum.answers} answers, ${sum.paid} were payments; ` +
      `heap ${heaps.map((heap) => (heap / 2 ** 20).toFixed(0)).join(', ')} MiB\n`,
  )
  expect(sum.requests).toBeGreaterThanOrEqual(20_000)
  expect(grown).toBeLessThan(MAY_GROW_BYTES)
}, 180_000)

/** Generated when they are needed, so that the heap holds those of one round. */
function casesOf(seed: number): { quick: Hostile[]; slow: Hostile[] } {
  const some = (arbitrary: Arbitrary<Hostile>, numRuns: number) => fc.sample(arbitrary, { numRuns, seed })
  return { quick: [...some(conversations, CONVERSATIONS), ...some(broken, BROKEN)], slow: some(lingering, LINGERING) }
}

type Sum = { requests: number; bytes: number; answers: number; paid: number }

async function playAll(door: Door, { quick, slow }: ReturnType<typeof casesOf>, seed: number, sum: Sum): Promise<void> {
  const left = [...quick]
  const work = async () => {
    for (let next = left.pop(); next; next = left.pop()) await check(next)
  }
  await Promise.all([...slow.map(check), ...Array.from({ length: AT_ONCE }, work)])

  async function check(hostile: Hostile): Promise<void> {
    try {
      const { answers, rest } = await play(door.port, hostile)
      if (hostile.end === 'waits') expect(rest).toBe('')
      if (hostile.requests !== 'any') expect(answers).toBe(hostile.requests)
      sum.answers += answers
    } catch (error) {
      const sent = hostile.chunks.map((chunk) => chunk.toString('latin1').slice(0, 2000))
      throw new Error(`seed ${seed}: ${JSON.stringify({ ...hostile, chunks: sent })}`, { cause: error })
    }
    sum.requests += hostile.requests === 'any' ? 1 : hostile.requests
    sum.bytes += hostile.chunks.reduce((total, chunk) => total + chunk.length, 0)
  }
}

/** Plays it on a connection of its own, until all that must be answered is, or the connection is over. */
function play(port: number, { chunks, end, requests, isHead = false }: Hostile) {
  return new Promise<{ answers: number; rest: string }>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let answers = 0
    let rest = ''
    let isOver = false
    const over = (settle = () => resolve({ answers, rest })) => {
      if (isOver) return
      isOver = true
      clearTimeout(hanging)
      // Leaves no port behind that waits to be used again.
      socket.resetAndDestroy()
      settle()
    }
    const fail = (error: unknown) => over(() => reject(error))
    const hanging = setTimeout(() => fail(new Error(`hangs after ${answers} answers`)), HANG_MS)

    function hear(chunk: Buffer): void {
      rest += chunk.toString('latin1')
      for (let length = lengthOfAnswer(rest, isHead); length > 0; length = lengthOfAnswer(rest, isHead)) {
        if (!isInterim(rest)) answers += 1
        rest = rest.slice(length)
      }
      if (answers === requests) over()
    }

    async function speak(): Promise<void> {
      for (const [nth, chunk] of chunks.entries()) {
        // One after another is what callers do who keep a connection; the others stutter.
        while (!isOver && requests !== 'any' && answers < nth) await sleep(1)
        if (socket.writable) socket.write(chunk)
        if (requests === 'any') await sleep(2)
      }
      if (end === 'half closes') socket.end()
      if (end === 'resets') over()
    }

    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      try {
        hear(chunk)
      } catch (error) {
        fail(error)
      }
    })
    socket.on('error', () => undefined)
    socket.on('close', () => over())
    socket.on('connect', () => void speak().catch(fail))
  })
}

const isInterim = (text: string) => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n')

/** How long the first answer is, once it is whole; throws when it is none that is documented. */
function lengthOfAnswer(text: string, isHead: boolean): number {
  if (isInterim(text)) return text.indexOf('\r\n\r\n') + 4
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return 0
  const head = text.slice(0, headEnd)
  const [, status = ''] = /^HTTP\/1\.1 (\d{3}) [A-Z][\w -]+\r\n/.exec(head) ?? []
  const [, length] = /\r\ncontent-length: (\d+)(?:\r\n|$)/i.exec(head) ?? []
  if (!STATUSES.has(status) || !length) throw new Error(`answered with ${JSON.stringify(head)}`)
  const end = headEnd + 4 + (isHead ? 0 : Number(length))
  if (text.length < end) return 0
  if (!isHead) expectDocumented(text.slice(headEnd + 4, end), status)
  return end
}

/** Three keys in their order; an id and no error, or the other way round. */
function expectDocumented(body: string, status: string): void {
  const json: Record<string, unknown> = JSON.parse(body)
  const [id, ...others] = Object.entries(json)
  const isPaid = status === '200' && id?.[1] === APPROVED && others.every(([, value]) => value === null)
  const code = status === '401' ? 'unauthorized' : 'invalid_request'
  const isRefused = id?.[1] === null && json.error_code === code && /^[A-Z].+\.$/.test(String(json.error_message))
  const names = [id?.[0].replace(/^(charge|token)_id$/, 'id'), ...others.map(([name]) => name)]
  if (names.join() !== 'id,error_code,error_message' || !(isPaid || isRefused)) throw new Error(`answered with ${body}`)
}

/** What is left when nothing is under way any more. */
async function memoryUsed(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let times = 0; times < 3; times += 1) {
    await sleep(50)
    collect()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
