/** What Node is told wherever a gateway or a worker is started: here, in package.json, and in the image (Dockerfile). Of objects that live
 * shortly V8 would otherwise keep 128 MiB before it looks which of them are still needed; half of that costs hardly more CPU
 * (docs/benchmarks.md, "Where the time goes"). */
export const NODE_ARGS: readonly string[] = ['--max-semi-space-size=32']
