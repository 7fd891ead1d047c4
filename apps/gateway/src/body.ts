import { type Request, type RequestHandler, raw } from 'express'
import { parseStrictJson } from './strict-json.ts'

const BODY_LIMIT_BYTES = 64 * 1024

/** Step 2, the bytes: whatever the Content-Type says, or none at all as the older connector sends it, they are read as
 * JSON. Compressed bodies are refused: Twilio sends none, and they can be bombs. */
export const readBytes: RequestHandler = raw({ type: () => true, limit: BODY_LIMIT_BYTES, inflate: false })

/** The request as received, or `NotJson`. Its bytes, which may be a card's, are let go: a request is held for as long as its try. */
export function bodyOf(request: Request): Record<string, unknown> {
  const bytes: unknown = request.body
  request.body = undefined
  return parseStrictJson(Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0))
}
