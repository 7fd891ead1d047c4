import type { z } from 'zod'

/** What `--help` prints of a process that is configured by environment only. */
export function helpText(about: string, variables: z.ZodObject): string {
  const names = Object.keys(variables.shape)
  const isRequired = (name: string) => !variables.shape[name]?.safeParse(undefined).success
  return `${about}

Configured by environment only; README.md says what each variable means. NAME_FILE=/path reads one from a file.

required: ${names.filter(isRequired).join(', ')}

optional: ${names.filter((name) => !isRequired(name)).join(', ')}
`
}
