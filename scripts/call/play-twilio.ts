import { once } from 'node:events'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export type Body = Record<string, unknown>

export type CallOptions = {
  url: string
  body: Body
  credentials: { user: string; password: string }
  /** In all; Twilio makes up to 6. */
  tries?: number
  /** How long one try waits; 10 s with Twilio. */
  tryTimeoutMs?: number
  /** Twilio's old connector sent it empty. */
  contentType?: string
  onTry?: (attempt: Try, number: number) => void
}

export type Answered = { kind: 'answered'; ms: number; status: number; text: string; body: Body | undefined }

export type Try =
  | Answered
  /** The try's time is over and the connection was closed from our side. */
  | { kind: 'silence'; ms: number }
  /** The connection failed or was lost. */
  | { kind: 'broken'; ms: number; code: string }

export type CallResult = { tries: Try[]; answer: Answered | undefined }

export const TRIES = 6
export const TRY_TIMEOUT_MS = 10_000

/** Sends a payment as Twilio does: one POST per try, each on its own connection, and on silence again with the same
 * transaction_id until an answer comes or the tries are used up. Any answer ends the call. What Twilio does about a broken
 * connection is not documented; here it counts as a try and takes as long as silence would, except that a call ends when
 * not even its first try finds anyone listening. */
export async function call(options: CallOptions): Promise<CallResult> {
  const { tries: limit = TRIES, tryTimeoutMs = TRY_TIMEOUT_MS, onTry } = options
  const tries: Try[] = []
  while (tries.length < limit) {
    const attempt = await tryOnce(options)
    tries.push(attempt)
    onTry?.(attempt, tries.length)
    if (attempt.kind === 'answered') return { tries, answer: attempt }
    if (tries.length === 1 && isNobodyThere(attempt)) break
    if (tries.length < limit) await sleep(Math.max(0, tryTimeoutMs - attempt.ms))
  }
  return { tries, answer: undefined }
}

/** Whether a try did not find anybody listening at the address. */
export function isNobodyThere(attempt: Try): boolean {
  return attempt.kind === 'broken' && ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(attempt.code)
}

async function tryOnce(options: CallOptions): Promise<Try> {
  const start = performance.now()
  const elapsed = () => Math.round(performance.now() - start)
  const limit = AbortSignal.timeout(options.tryTimeoutMs ?? TRY_TIMEOUT_MS)
  try {
    const response = await post(options, limit)
    const answer = await text(response)
    return { kind: 'answered', ms: elapsed(), status: response.statusCode ?? 0, text: answer, body: parse(answer) }
  } catch (error) {
    if (limit.aborted) return { kind: 'silence', ms: elapsed() }
    return { kind: 'broken', ms: elapsed(), code: (error as NodeJS.ErrnoException).code ?? 'unknown' }
  }
}

async function post({ url, body, credentials, contentType }: CallOptions, signal: AbortSignal) {
  const { user, password } = credentials
  const headers = {
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    'content-type': contentType ?? 'application/json',
    'user-agent': 'AHC/2.1',
  }
  const send = url.startsWith('https:') ? requestHttps : requestHttp
  const request = send(url, { method: 'POST', headers, agent: false, signal })
  request.end(JSON.stringify(body))
  const [response] = await once(request, 'response')
  return response as IncomingMessage
}

function parse(answer: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(answer)
    return typeof value === 'object' && value !== null ? (value as Body) : undefined
  } catch {
    return undefined
  }
}
