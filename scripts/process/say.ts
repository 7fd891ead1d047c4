/** One line for the person at the terminal, apart from a program's output. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
