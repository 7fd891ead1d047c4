import type { TransactionAnswer } from '@pay/mapper'

/** What became of one request. `unsent`: provably not a byte of it left, so it may be sent again; without `retry` that would
 * end the same way, and a person must look. `lost`: it may have arrived, and may have been acted on. */
export type Exchanged = ({ kind: 'answered' } & Answer) | Unsent | { kind: 'lost'; reason: string }

export type Unsent = { kind: 'unsent'; reason: string; retry: boolean }

type Answer = {
  status: number
  text: string
  /** What was read of the text, where somebody has read it and it makes sense. */
  answer?: TransactionAnswer
}

/** What was seen of one request on its way, and the answer if all of it arrived; otherwise `reason`, the name of what ended it:
 * a time limit of ours, or the code of an error. */
export type Evidence = Wire & ({ answer: Answer } | { reason: string })

export type Wire = {
  /** TCP stood and, with TLS, its handshake was over and the certificate good. What is written before that only waits. */
  hasConnected: boolean
  /** Of this request. What a reused connection had carried before is not ours. */
  bytesWritten: number
  /** Why the certificate was refused, if it was. */
  certificateError?: string | undefined
}

/** Whether a request may be sent again is decided by what was written, never by an error's code: the same ECONNRESET comes
 * from a connection that never was and from one that took the card. Only a plain zero counts as nothing. */
export function classify(evidence: Evidence): Exchanged {
  if ('answer' in evidence) return { kind: 'answered', ...evidence.answer }
  const { hasConnected, bytesWritten, certificateError, reason } = evidence
  if (hasConnected && bytesWritten !== 0) return { kind: 'lost', reason }
  // The next try would meet the same certificate, and whoever shows a wrong one may not be PayConex at all.
  return { kind: 'unsent', reason, retry: certificateError === undefined }
}
