import type { Redis } from 'ioredis'
import { type LedgerReply, type PaymentRecord, parseReply } from './record.ts'

export type ReplyChannelOptions = {
  subscriber: Redis
  gateway: string
  /** A payment that this gateway waits for was finished. May come twice, or late: the record says how things stand. `fences` is
   * the number of the ledger's last fence by then. */
  onReply: (record: PaymentRecord, fences: number) => void
  /** The channel is (again) open; whatever was finished while it was not has to be read. */
  onOpen: () => void
}

/** Step 12, the gateway's end: `finish` publishes to the channel of every gateway that is recorded as waiting. Pub/sub
 * keeps nothing, so this is the fast way, not the safe one: the safe one is to read the record. */
export async function openReplyChannel({ subscriber, gateway, onReply, onOpen }: ReplyChannelOptions): Promise<void> {
  const channel = `reply:${gateway}`
  subscriber.on('message', (from: string, text: string) => {
    const reply = from === channel ? readMessage(text) : undefined
    if (reply) onReply(reply.record, reply.fences)
  })
  await subscriber.subscribe(channel)
  // ioredis subscribes again by itself once it is ready; asking once more is answered when that is done.
  subscriber.on('ready', () => void subscriber.subscribe(channel).then(onOpen, () => undefined))
}

/** A message that this version cannot read (a newer worker's, during an update) is as good as lost: the record says how
 * things stand. */
function readMessage(text: string): LedgerReply<string> | undefined {
  try {
    return parseReply(JSON.parse(text))
  } catch {
    return undefined
  }
}
