import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

type Value = { stringValue?: string; intValue?: number | string; boolValue?: boolean }
type Attributes = { key: string; value: Value }[]

/** A span as it arrives by OTLP/JSON. */
export type CollectedSpan = {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Attributes
  links?: { traceId: string; spanId: string }[]
  status: { code: number }
}

type Export = { resourceSpans: { resource: { attributes: Attributes }; scopeSpans: { spans: CollectedSpan[] }[] }[] }

export type Collector = Awaited<ReturnType<typeof startCollector>>

/** Where tests have spans sent: an OTLP receiver over HTTP that keeps what arrives, byte by byte. */
export async function startCollector({ status = () => 200 }: { status?: () => number } = {}) {
  const received: { headers: IncomingHttpHeaders; path: string; body: string }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { headers, url: path = '' } = request
      received.push({ headers, path, body: Buffer.concat(chunks).toString('latin1') })
      response.writeHead(status(), { 'Content-Type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const exports = () => received.map(({ body }) => JSON.parse(Buffer.from(body, 'latin1').toString()) as Export)
  const spans = () =>
    exports()
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) =>
          spans.map((span) => ({ ...span, service: attributeOf(resource, 'service.name') })),
        ),
      )
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    spans,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** One of its attributes. */
export function attributeOf({ attributes }: { attributes: Attributes }, name: string): string | number | undefined {
  const { stringValue, intValue } = attributes.find(({ key }) => key === name)?.value ?? {}
  return stringValue ?? (intValue === undefined ? undefined : Number(intValue))
}

/** A trace as text: a line for each span, below its parent, in the order of their beginnings. */
export function treeOf<Span extends CollectedSpan>(spans: readonly Span[], lineOf: (span: Span) => string): string[] {
  const inOrder = [...spans].sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const isRoot = ({ parentSpanId = '' }: Span) => !ids.has(parentSpanId)
  const below = (parent: Span, depth: number): string[] => [
    `${'  '.repeat(depth)}${lineOf(parent)}`,
    ...inOrder.filter(({ parentSpanId }) => parentSpanId === parent.spanId).flatMap((span) => below(span, depth + 1)),
  ]
  return inOrder.filter(isRoot).flatMap((root) => below(root, 0))
}
