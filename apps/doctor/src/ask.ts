import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

export type Terminal = { input: NodeJS.ReadableStream; output: NodeJS.WritableStream }

/** Asks a person for the account and its access key. What is typed is not shown: readline writes its echo to nowhere. Rejects when the
 * person gives up (Ctrl-C, Ctrl-D). */
export async function askCredentials({ input, output }: Terminal): Promise<{ account: string; accessKey: string }> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: true })
  const givenUp = new AbortController()
  lines.once('SIGINT', () => givenUp.abort()).once('close', () => givenUp.abort())
  const ask = async (what: string) => {
    output.write(`${what} (not shown): `)
    const answer = await lines.question('', { signal: givenUp.signal })
    output.write('\n')
    return answer.trim()
  }
  try {
    return { account: await ask('PayConex account id'), accessKey: await ask('API access key') }
  } finally {
    lines.close()
  }
}
