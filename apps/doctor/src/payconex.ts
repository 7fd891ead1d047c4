import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { type Credentials, interpretReservation, type Reservation } from '@pay/mapper'
import { isInTheOpen, reasonOf, SECOND } from '@pay/service'
import { type ClockReading, readingOf } from './clocks.ts'
import { dial, outcomeOf, placeOfUrl, secure } from './dial.ts'
import { type Finding, isWrong, notChecked, ok, warning, wrong } from './finding.ts'
import type { Settings } from './settings.ts'
import { judgeTls, STAGES } from './way.ts'
import { within } from './within.ts'

const DIAL_MS = 2.5 * SECOND
const ANSWER_MS = 5 * SECOND

export type PayconexExamined = { findings: Finding[]; clock?: ClockReading | undefined }

/** 1 which PayConex it is, 2 the way there, 3 TLS, 4 an answer, 5 with credentials an id for a transaction that is never made: the
 * first step of every payment, which moves no money. Ends at the first that is not so: a key is shown to nobody whose certificate is
 * not trusted, and sent nowhere where others could read it. */
export async function examinePayconex(
  settings: Settings,
  credentials: Credentials | undefined,
): Promise<PayconexExamined> {
  if (settings.PAYCONEX_URL === undefined) return { findings: [notChecked('PayConex', 'PAYCONEX_URL cannot be used')] }
  const url = new URL(settings.PAYCONEX_URL)
  const way = await open(url, settings.PAYCONEX_PROXY_URL)
  const secured = way.socket ? await protect(way.socket, url, settings) : way
  const asked = secured.socket ? await ask(secured.socket, url, credentials) : { findings: [] }
  secured.socket?.destroy()
  const which = ok('PayConex', `${url.origin}: ${kindOf(url)}`)
  const tls = secured === way ? [] : secured.findings
  return { findings: [which, ...way.findings, ...tls, ...asked.findings], clock: asked.clock }
}

/** A socket is there as long as one may go on. */
type Way = { findings: Finding[]; socket?: Socket | undefined }

async function protect(socket: Socket, url: URL, { CA_FILE, MODE }: Settings): Promise<Way> {
  if (isInTheOpen(url.href, MODE)) {
    socket.destroy()
    return { findings: [IN_THE_OPEN] }
  }
  if (url.protocol === 'http:') return { findings: [], socket }
  const ca = CA_FILE && readFileSync(CA_FILE, 'utf8')
  const handshaken = await secure(socket, { host: placeOfUrl(url, 443).host, ca, limitMs: DIAL_MS })
  const findings = judgeTls('PayConex: TLS', url.host, handshaken)
  if (handshaken.kind === 'secure' && !findings.some(isWrong)) return { findings, socket: handshaken.socket }
  socket.destroy()
  return { findings }
}

const IN_THE_OPEN = wrong(
  'PayConex: TLS',
  'none: access keys and cards could be read on the way, so nothing was asked',
  'PAYCONEX_URL must be https:// unless it is on this machine (in MODE=relaxed: in a private network)',
)

function kindOf({ hostname }: URL): string {
  if (hostname === 'secure.payconex.net') return 'production, money moves there'
  return hostname === 'cert.payconex.net' ? 'certification, no money moves there' : 'not one of Bluefin’s own hosts'
}

async function open(url: URL, proxy: string | undefined): Promise<Way> {
  const target = proxy === undefined ? url : new URL(proxy)
  const whose = proxy === undefined ? 'PayConex: way' : 'PayConex: proxy'
  const place = placeOfUrl(target, target.protocol === 'https:' ? 443 : 80)
  const dialled = await dial(place, DIAL_MS)
  if (dialled.kind === 'failed') {
    const seen = `${place.host}:${place.port}: ${dialled.stage}: ${dialled.reason}`
    return { findings: [wrong(whose, seen, STAGES[dialled.stage])] }
  }
  const { socket, address, ms } = dialled
  const there = ok(whose, `${place.host}:${place.port} (${address}) takes connections, ${ms.toFixed(0)} ms`)
  if (proxy === undefined) return { findings: [there], socket }
  const refusal = await tunnel(socket, url, target)
  if (refusal === undefined) return { findings: [there], socket }
  return {
    findings: [
      there,
      wrong(
        whose,
        `no tunnel to ${url.host}: ${refusal}`,
        'let it pass CONNECT to that host; 407 wants user:password@ in PAYCONEX_PROXY_URL',
      ),
    ],
  }
}

/** Asks a proxy for a tunnel. Undefined when it stands. */
async function tunnel(socket: Socket, url: URL, { username, password }: URL): Promise<string | undefined> {
  const to = `${url.hostname}:${url.port || 443}`
  const access = [username, password].map(decodeURIComponent).join(':')
  const basic = username === '' ? '' : `Proxy-Authorization: Basic ${Buffer.from(access).toString('base64')}\r\n`
  socket.write(`CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n${basic}\r\n`)
  const silent = await outcomeOf(socket, 'readable', DIAL_MS)
  if (silent !== undefined) return silent
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(String(socket.read() ?? '')) ?? []
  if (status?.startsWith('2')) return undefined
  socket.destroy()
  return status === undefined ? 'it is no proxy' : `HTTP ${status}`
}

type Answer = { status: number; text: string; date: string | undefined }

async function ask(socket: Socket, url: URL, credentials: Credentials | undefined): Promise<PayconexExamined> {
  const began = Date.now()
  const answer = await within(ANSWER_MS, exchange(socket, url, credentials)).catch((error: unknown) => reasonOf(error))
  if (answer === undefined || typeof answer === 'string') {
    const seen = `no answer ${answer === undefined ? `within ${ANSWER_MS / SECOND} s` : `(${answer})`}`
    return {
      findings: [
        wrong('PayConex: answer', seen, 'wait, or ask Bluefin: connections are taken and nothing is answered'),
      ],
    }
  }
  const told = Date.parse(answer.date ?? '')
  const clock = Number.isNaN(told) ? undefined : readingOf('PayConex', told, [began, Date.now()], SECOND)
  const seen = `HTTP ${answer.status} after ${Date.now() - began} ms`
  return { findings: [judgeStatus(answer.status, seen), judgeCredentials(answer, credentials)], clock }
}

/** Without credentials we only ask whether somebody is there, to which any answer will do but these. */
function judgeStatus(status: number, seen: string): Finding {
  const name = 'PayConex: answer'
  if (status >= 500) return warning(name, seen, 'wait, or ask Bluefin: that server is in trouble')
  if (status >= 300 && status < 400)
    return warning(name, `${seen}, a redirect`, 'write PAYCONEX_URL as it is: redirects are never followed')
  return ok(name, seen)
}

const UNASKED = 'no credentials were given: gateways get them from Twilio, with each payment'

function judgeCredentials({ status, text }: Answer, credentials: Credentials | undefined): Finding {
  const name = 'PayConex: credentials'
  if (!credentials) {
    return notChecked(
      name,
      UNASKED,
      'set DOCTOR_ACCOUNT and DOCTOR_ACCESS_KEY (or _FILE), or say --ask: an id is fetched, no money moves',
    )
  }
  const reservation = interpretReservation(status, text)
  const account = `account ${credentials.accountId}`
  switch (reservation.kind) {
    case 'reserved':
      return ok(name, `${account} and its key are accepted: it gave an id`)
    case 'declined':
      return wrong(
        name,
        `${account}: ${saidBy(reservation, credentials)}`,
        'compare account and key with PayConex; certification and production have different ones',
      )
    case 'unanswered':
      return wrong(
        name,
        `${account}: ${reservation.reason} (HTTP ${status})`,
        'see that PAYCONEX_URL is PayConex’, then ask Bluefin',
      )
  }
}

/** Whoever answers could repeat the key to us. */
const saidBy = ({ code, message }: Extract<Reservation, { kind: 'declined' }>, { accessKey }: Credentials) =>
  `${code} ${message}`.replaceAll(accessKey.expose(), '[access key]').slice(0, 200)

const LIMIT_BYTES = 64 * 1024

/** One request on a connection that stands; redirects are not followed. Without credentials only whether somebody is there. */
function exchange(socket: Socket, url: URL, credentials: Credentials | undefined): Promise<Answer> {
  const form = credentials ? formOf(credentials) : ''
  const headers = {
    Host: url.host,
    Accept: 'application/json',
    'User-Agent': 'pay-connector',
    Connection: 'close',
    ...(credentials && {
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': Buffer.byteLength(form),
    }),
  }
  const path = `${url.pathname.replace(/\/+$/, '')}/api/tsapi/3.8`
  return new Promise((resolve, reject) => {
    const method = credentials ? 'POST' : 'HEAD'
    const asking = request({ createConnection: () => socket, method, path, headers, insecureHTTPParser: false })
    asking.on('error', reject)
    asking.on(
      'response',
      (response) =>
        void bodyOf(response).then((text) => {
          resolve({ status: response.statusCode ?? 0, text, date: response.headers.date })
        }, reject),
    )
    asking.end(form)
  })
}

const formOf = ({ accountId, accessKey }: Credentials) =>
  new URLSearchParams({
    account_id: accountId,
    api_accesskey: accessKey.expose(),
    response_format: 'JSON',
    action: 'GET_TRANSACTION_ID',
  }).toString()

async function bodyOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) {
    text += chunk
    if (text.length > LIMIT_BYTES) throw new TypeError('the answer is too large')
  }
  return text
}
