/** What every answer of ours says, as `helmet` would for an interface that no browser is meant to open: no cache keeps it, nobody
 * guesses its type, and a browser that opens it all the same runs, frames and passes on nothing. */
export const SAFE_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const
