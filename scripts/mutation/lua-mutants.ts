import { parse } from 'luaparse'

/** One small change of a script. `line` and `from` say where and what it is there, `to` what it becomes, `text` is the whole script
 * with it. A `guard` is taken away (an early return, an assertion), a `condition` is weakened (an operand left out, or it holds always
 * or never), an `effect` is not done (a write, a step, a field of a write), a `comparison` is made otherwise. */
export type LuaMutant = { kind: Kind; line: number; from: string; to: string; text: string }

type Kind = 'guard' | 'condition' | 'effect' | 'comparison'

type Edit = { kind: Kind; node: Node; to: string }

/** As luaparse makes them, with `ranges`. */
type Node = { type: string; range: [number, number]; [name: string]: unknown }

/** Every mutant of one script. `common`: what stands before it when it runs is not needed to parse it. */
export function mutantsOf(script: string): LuaMutant[] {
  const tree = parse(script, { ranges: true, comments: false, luaVersion: '5.1' }) as unknown as Node
  const source = ([from, to]: Node['range']) => script.slice(from, to)
  const edits = nodesIn(tree).flatMap(
    (node) => EDITS[node.type]?.(node, source).map((edit) => ({ node, ...edit })) ?? [],
  )
  const mutants = edits.map((edit) => mutantOf(script, edit))
  return mutants.filter(({ text }, nth) => mutants.findIndex((other) => other.text === text) === nth)
}

function mutantOf(script: string, { kind, node, to }: Edit): LuaMutant {
  const [start, end] = node.range
  const text = script.slice(0, start) + to + script.slice(end)
  const lineStart = script.lastIndexOf('\n', start - 1) + 1
  const nextLine = script.indexOf('\n', end)
  const lineEnd = nextLine === -1 ? script.length : nextLine
  return {
    kind,
    line: script.slice(0, start).split('\n').length,
    from: flat(script.slice(lineStart, lineEnd)),
    to: flat(script.slice(lineStart, start) + to + script.slice(end, lineEnd)),
    text,
  }
}

const flat = (text: string) => text.replaceAll(/\s+/g, ' ').trim()

function nodesIn(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn)
  if (typeof value !== 'object' || value === null) return []
  const inside = Object.values(value).flatMap(nodesIn)
  return 'type' in value ? [value as Node, ...inside] : inside
}

type Source = (range: Node['range']) => string
type Change = { kind: Kind; to: string; node?: Node }

const EDITS: Record<string, (node: Node, source: Source) => Change[]> = {
  IfClause: condition,
  ElseifClause: condition,
  /** One operand is left out. */
  LogicalExpression: ({ left, right }, source) =>
    [left, right].map((operand) => ({ kind: 'condition', to: `(${source((operand as Node).range)})` })),
  BinaryExpression: ({ operator, left, right }, source) =>
    (OTHERWISE[operator as string] ?? []).map((other) => ({
      kind: 'comparison',
      to: `(${source((left as Node).range)}) ${other} (${source((right as Node).range)})`,
    })),
  CallStatement: ({ expression }, source) => {
    const called = source(((expression as Node).base as Node).range)
    return [{ kind: called === 'assert' ? 'guard' : 'effect', to: '' }]
  },
  AssignmentStatement: () => [{ kind: 'effect', to: '' }],
  CallExpression: pairs,
  /** A row of a table. */
  TableKeyString: ({ key }, source) => [{ kind: 'condition', to: `${source((key as Node).range)} = nil` }],
}

/** Never, and always. What only returns is a guard. */
function condition({ condition: node, body }: Node): Change[] {
  const isGuard = (body as Node[]).every(({ type }) => type === 'ReturnStatement')
  return [
    { kind: isGuard ? 'guard' : 'condition', to: 'false', node: node as Node },
    { kind: 'condition', to: 'true', node: node as Node },
  ]
}

/** Not `==` and `not`: a comparison turned round is found wherever its condition is found to hold always, or never. */
const OTHERWISE: Record<string, readonly string[]> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
}

/** Of a write of several fields one is left out. */
function pairs({ arguments: given }: Node, source: Source): Change[] {
  const args = (given as Node[]).map(({ range }) => source(range))
  if (args[0] !== "'HSET'" || args.length <= 4) return []
  const fields = Array.from({ length: (args.length - 2) / 2 }, (_, nth) => 2 + 2 * nth)
  return fields.map((at) => ({ kind: 'effect', to: `redis.call(${args.toSpliced(at, 2).join(', ')})` }))
}
