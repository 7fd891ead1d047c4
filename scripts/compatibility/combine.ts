export type Matrix = { redis: readonly string[]; nodes: readonly number[]; cross: boolean }
export type Combination = { redis: string; node: number }

/** Each Redis with the first Node and each Node with the first Redis, or everything with everything. */
export function combine({ redis, nodes, cross }: Matrix): Combination[] {
  const all = redis.flatMap((name) => nodes.map((node) => ({ redis: name, node })))
  return cross ? all : all.filter((one) => one.redis === redis[0] || one.node === nodes[0])
}
