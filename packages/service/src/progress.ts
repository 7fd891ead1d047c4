const EVERY_MS = 200
const EVERY_LINE_MS = 5000

/** Says how far a long piece of work is: on a terminal in one line that is written over, elsewhere a line every now and then. */
export function progressOn(messages: NodeJS.WritableStream & { isTTY?: boolean }) {
  let saidAt = performance.now()
  let isShown = false
  return {
    at(text: string): void {
      const now = performance.now()
      if (now - saidAt < (messages.isTTY ? EVERY_MS : EVERY_LINE_MS)) return
      saidAt = now
      isShown = messages.isTTY === true
      messages.write(isShown ? `\r\x1b[K${text}` : `${text}\n`)
    },
    done(): void {
      if (isShown) messages.write('\r\x1b[K')
      isShown = false
    },
  }
}
