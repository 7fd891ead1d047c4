import { type IncomingMessage, request } from 'node:http'
import { Agent, request as requestSecurely } from 'node:https'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream'
import { checkServerIdentity, rootCertificates } from 'node:tls'
import { createGunzip } from 'node:zlib'
import { type Credentials, readAnswer } from '@pay/mapper'
import { reasonOf, SECOND } from '@pay/service'
import { shifted } from './day.ts'
import { jsonRows, NotAList } from './json-rows.ts'
import { dayOfRow, ForeignReport, type Row, readRow } from './report-row.ts'

export type RsapiOptions = {
  url: string
  /** PEM of authorities to trust besides the public ones. */
  ca?: string | undefined
  proxyUrl?: string | undefined
  limits?: Partial<typeof LIMITS>
}

const LIMITS = {
  /** Until the first byte, and between two: a report of a big day has to be made first. */
  silentMs: 120 * SECOND,
  wholeMs: 15 * 60 * SECOND,
  /** Of one day of one account, unpacked: some 600,000 transactions. */
  bytes: 512 * 1024 * 1024,
}

/** Raised when PayConex gives no report that can be relied on. Its message says why, and has nothing of what came in it. */
export class NoReport extends Error {
  override name = 'NoReport'
  readonly retry = true
}

export type ReadDay = (credentials: Credentials, day: string) => AsyncGenerator<Row[]>

/** RSAPI 3.8: all transactions of an account on a day, approved or not, in portions as they come. Whatever is not a whole report of
 * that day is a `NoReport`, perhaps after some of its rows: they count only when the last has come. No filter is asked for, because
 * whether PayConex looks at one is known of none. */
export function createRsapi({ url, ca, proxyUrl, limits }: RsapiOptions): ReadDay {
  const { silentMs, wholeMs, bytes } = { ...LIMITS, ...limits }
  const address = new URL(`${url}/api/rsapi/3.8`)

  return async function* readDay(credentials, day) {
    const deadline = AbortSignal.timeout(wholeMs)
    try {
      const answer = await post(encode(credentials, day), deadline)
      const chunks = limited(unpacked(answer), { bytes })
      for await (const texts of jsonRows(chunks)) yield texts.map((text) => ofDay(readRow(text), day)).filter(isRow)
      if (!answer.complete) throw new ForeignReport('the report was cut off')
    } catch (error) {
      throw explained(error, deadline)
    }
  }

  function post(form: string, signal: AbortSignal): Promise<IncomingMessage> {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(form.length),
      accept: 'application/json',
      'accept-encoding': 'gzip',
      'user-agent': 'pay-connector',
    }
    // The time limit of the request itself would begin only when it is connected.
    const options = { method: 'POST', headers, signal, timeout: silentMs, insecureHTTPParser: false }
    const isSecure = address.protocol === 'https:'
    return new Promise((resolve, reject) => {
      const sent = isSecure
        ? requestSecurely(address, { ...options, agent: agentFor(ca, proxyUrl) }, resolve)
        : request(address, { ...options, agent: false }, resolve)
      sent.on('timeout', () => sent.destroy(new NoReport(`no answer within ${silentMs / SECOND} s`)))
      sent.on('error', reject)
      sent.end(form)
    })
  }
}

/** Whom to trust is said here, whatever Node was started with. One connection for each report. */
const agentFor = (ca?: string, proxyUrl?: string) =>
  new Agent({
    keepAlive: false,
    ca: [...rootCertificates, ...(ca ? [ca] : [])],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    checkServerIdentity,
    proxyEnv: proxyUrl ? { HTTPS_PROXY: proxyUrl } : {},
  })

/** Redirects are not followed: the access key would go along. */
const encode = ({ accountId, accessKey }: Credentials, day: string): string =>
  new URLSearchParams({
    account_id: accountId,
    api_accesskey: accessKey.expose(),
    response_format: 'JSON',
    transaction_date: day,
  }).toString()

function unpacked(answer: IncomingMessage): Readable {
  const { statusCode = 0, headers } = answer
  if (statusCode !== 200) {
    answer.destroy()
    throw new NoReport(`HTTP ${statusCode} instead of a report`)
  }
  if (!/^(x-)?gzip$/i.test(headers['content-encoding'] ?? '')) return answer
  return pipeline(answer, createGunzip(), () => undefined)
}

async function* limited(chunks: Readable, { bytes }: { bytes: number }): AsyncGenerator<Uint8Array> {
  let read = 0
  for await (const chunk of chunks as AsyncIterable<Buffer>) {
    read += chunk.length
    if (read > bytes) throw new NoReport(`the report has more than ${Math.round(bytes / 1024 / 1024)} MB`)
    yield chunk
  }
}

/** A report's day may be one of another time zone than its timestamps; another day altogether was not asked for. */
function ofDay(row: Row | undefined, day: string): Row | undefined {
  if (row === undefined) return undefined
  const found = dayOfRow(row)
  if (found < shifted(day, -1) || found > shifted(day, 1)) throw new ForeignReport('the report is of another day')
  return row
}

const isRow = (row: Row | undefined): row is Row => row !== undefined

function explained(error: unknown, deadline: AbortSignal): unknown {
  if (error instanceof NoReport) return error
  if (error instanceof ForeignReport) return new NoReport(error.message, { cause: error })
  if (error instanceof NotAList) return new NoReport(refusalIn(error.text))
  if (deadline.aborted) return new NoReport('the report took too long')
  if (isBug(error)) return error
  const reason = reasonOf(error)
  return new NoReport(
    CUT_OFF.test(reason) ? `the report was cut off or damaged (${reason})` : `PayConex cannot be reached (${reason})`,
  )
}

const CUT_OFF = /^(ECONNRESET|ERR_STREAM_PREMATURE_CLOSE|Z_\w+)$/

const isBug = (error: unknown) => !(error instanceof Error) || (error instanceof TypeError && !('code' in error))

/** PayConex' own no has a code. */
function refusalIn(text: string): string {
  const answer = readAnswer(text)
  const code = answer?.isError === true && /^[\w-]{1,10}$/.test(answer.code ?? '') ? answer.code : undefined
  return code === undefined
    ? 'PayConex answered with something else than a report'
    : `PayConex refuses the report (error_code ${code}): is the access key right, and may it read reports?`
}
