import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { accessKey, confirm } from './confirm.ts'
import { Refused, Unusable } from './ending.ts'
import type { Terminal } from './terminal.ts'

/** A terminal at which somebody types this. */
function typing(text: string | undefined, over: AbortSignal = new AbortController().signal) {
  const [input, output, messages] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const isTTY = text !== undefined
  const terminal: Terminal = {
    env: {},
    input: Object.assign(input, { isTTY }),
    output,
    messages,
    over,
    user: () => 'ann',
  }
  if (text !== undefined) input.write(text)
  return { terminal, said: () => String(messages.read() ?? '') }
}

const ABOUT = ['charge of 12.50: it is undone']
const asked = (terminal: Terminal, yes = false) => confirm(terminal, { yes, about: ABOUT, word: 'order-1' })

describe('before anything is changed', () => {
  it('a person reads what follows, and types which payment is meant', async () => {
    const { terminal, said } = typing('order-1\r')

    await expect(asked(terminal)).resolves.toBeUndefined()

    expect(said()).toContain('it is undone')
  })

  it.each(['order-2\r', '\r', 'yes\r'])('anything else is a no: %j', async (text) => {
    await expect(asked(typing(text).terminal)).rejects.toThrow(Refused)
  })

  it('Ctrl-C is a no', async () => {
    await expect(asked(typing('order\u0003').terminal)).rejects.toThrow('given up: nothing was changed')
    await expect(asked(typing('order', AbortSignal.abort()).terminal)).rejects.toThrow('given up')
  })

  it('--yes goes on without being asked, and without a terminal it must be there', async () => {
    await expect(asked(typing(undefined).terminal, true)).resolves.toBeUndefined()
    await expect(asked(typing(undefined).terminal)).rejects.toThrow('it takes --yes')
  })
})

describe('an access key', () => {
  it('is typed without being seen', async () => {
    const { terminal, said } = typing('0123456789abcdef\r')

    const key = await accessKey(terminal, '120615000001', undefined)

    expect(key.expose()).toBe('0123456789abcdef')
    expect(said()).not.toContain('0123')
  })

  it('may come from the environment, and without a terminal must', async () => {
    expect((await accessKey(typing(undefined).terminal, '1', 'given')).expose()).toBe('given')
    await expect(accessKey(typing(undefined).terminal, '1', undefined)).rejects.toThrow(Unusable)
    await expect(accessKey(typing('\r').terminal, '1', undefined)).rejects.toThrow(Refused)
  })
})
