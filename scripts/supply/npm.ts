import { execFile } from 'node:child_process'

type Options = { cwd: string; limitMs: number }

const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024

/** What npm printed, whatever its exit code: `npm audit` ends with 1 when it has found something, too. */
export function npm(args: readonly string[], { cwd, limitMs }: Options): Promise<string> {
  const options = { cwd, timeout: limitMs, maxBuffer: OUTPUT_LIMIT_BYTES }
  return new Promise((resolve, reject) => {
    execFile('npm', [...args], options, (error, stdout, stderr) => {
      if (stdout.trim() !== '') resolve(stdout)
      else reject(new Error(`npm ${args[0]} failed: ${stderr.trim() || (error?.message ?? 'it printed nothing')}`))
    })
  })
}
