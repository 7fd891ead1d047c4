import { type ClientRequest, request } from 'node:http'
import { urlToHttpOptions } from 'node:url'
import { reasonOf } from '@pay/service'
import { type Agents, type AgentsOptions, createAgents } from './agents.ts'
import { classify, type Exchanged } from './classify.ts'
import { ACCEPTED_ENCODING } from './exchange-body.ts'
import { send } from './exchange-wire.ts'

export type Exchange = (request: Request) => Promise<Exchanged>

type Request = {
  url: string
  /** Encoded, so that each character is one byte. */
  form: string
  timeoutMs: number
  /** On a connection that has carried nothing before, so that no late answer to another request can be taken for this one's. */
  alone?: boolean
}

export type ExchangeOptions = Omit<AgentsOptions, 'keepAlive'>

/** Sends form-encoded POSTs, on connections that are kept or each on one of its own. Errors can know the request with its card number or
 * the answer to it, so none of them leaves: a reason is an error's code. */
export function createExchange(options: ExchangeOptions): { exchange: Exchange; close: () => void } {
  const kept = createAgents({ ...options, keepAlive: true })
  const once = createAgents({ ...options, keepAlive: false })
  const addressOf = createAddresses()

  function exchange({ url, form, timeoutMs, alone = false }: Request): Promise<Exchanged> {
    const opened = open(url, form, alone ? once : kept)
    return 'outgoing' in opened
      ? send(opened.outgoing, form, { timeoutMs, connectTimeoutMs: options.connectTimeoutMs })
      : Promise.resolve(classify({ hasConnected: false, bytesWritten: 0, ...opened }))
  }

  /** Nothing is written yet. An address that is none shows here. */
  function open(url: string, form: string, { http, https }: Agents): { outgoing: ClientRequest } | { reason: string } {
    try {
      const { isSecure, head, target } = addressOf(url)
      const headers = [...head, String(form.length)]
      return { outgoing: request({ ...target, agent: isSecure ? https : http, headers }) }
    } catch (error) {
      return { reason: reasonOf(error) }
    }
  }

  const close = () => {
    kept.destroy()
    once.destroy()
  }
  return { exchange, close }
}

/** What is the same for all requests to an address. There are two, PayConex' QSAPI and its TSAPI. */
function createAddresses() {
  const known = new Map<string, ReturnType<typeof toAddress>>()
  return (url: string) => {
    const address = known.get(url) ?? toAddress(new URL(url))
    known.set(url, address)
    return address
  }
}

function toAddress(url: URL) {
  const { protocol, hostname, port, path } = urlToHttpOptions(url)
  const head = [
    ...['Host', url.host],
    ...['Content-Type', 'application/x-www-form-urlencoded'],
    ...['Accept', 'application/json'],
    ...['Accept-Encoding', ACCEPTED_ENCODING],
    ...['User-Agent', 'pay-connector'],
    'Content-Length',
  ]
  const target = { method: 'POST', protocol, hostname, port, path, ...STRICT }
  return { isSecure: protocol === 'https:', head, target }
}

/** Whatever Node was started with: a lenient parser could take a part of one answer for another. */
const STRICT = { maxHeaderSize: 16 * 1024, insecureHTTPParser: false }
