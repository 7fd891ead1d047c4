import { runReconcile } from './run-reconcile.ts'

/* The day-end match: see reconcile.ts. It only reads, so whatever ends it costs nothing. */
process.exitCode = await runReconcile(process.argv.slice(2), {
  env: process.env,
  input: process.stdin,
  output: process.stdout,
  messages: process.stderr,
  now: Date.now,
})
