import type { z } from 'zod'

/** What `--help` prints of a process that is configured by environment only. */
export function helpText(about: string, variables: z.ZodObject): string {
  const names = Object.keys(variables.shape)
  const isRequired = (name: string) => !variables.shape[name]?.safeParse(undefined).success
  return `${about}

Configured by environment only; README.md says what each variable means. NAME_FILE=/path reads one from a file.

required: ${names.filter(isRequired).join(', ')}

QUEUE_REDIS_URL and LEDGER_REDIS_URL: redis:// or rediss://user:password@host:6379; of a Redis Cluster some of its nodes,
redis+cluster:// or rediss+cluster://user:password@one:6379,two:6379, with SHARDS for as many parts as are to be spread over it.

optional: ${names.filter((name) => !isRequired(name)).join(', ')}
`
}
