/** What Node is told wherever a gateway or a worker is started: here, in package.json, and in the image (Dockerfile); what each saves:
 * docs/benchmarks.md, "Where the time goes".
 *
 * - Of objects that live shortly V8 would otherwise keep 128 MiB before it looks which of them are still needed; half of that costs
 *   hardly more CPU.
 * - Node's own code is spread over ten thousand pages of memory, and a payment goes through much of it. On large pages the processor finds it
 *   sooner. Where Linux gives none (`/sys/kernel/mm/transparent_hugepage/enabled` is `never`) nothing happens. */
export const NODE_ARGS: readonly string[] = ['--max-semi-space-size=32', '--use-largepages=silent']
