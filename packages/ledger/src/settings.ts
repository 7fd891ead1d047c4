import type { Redis } from 'ioredis'

/** What a durable ledger must be set to, and why: the fence has to survive a crash of the server. */
const REQUIRED: Readonly<Record<string, { is: string; because: string }>> = {
  appendonly: { is: 'yes', because: 'a fence that is only in memory is forgotten by a restart' },
  appendfsync: { is: 'always', because: 'everysec can lose a fence that was already acknowledged' },
  'maxmemory-policy': { is: 'noeviction', because: 'an evicted payment would be charged again' },
}

/** What is wrong with the ledger's Redis, by setting; empty when all is well. Rejects when it hides CONFIG. */
export async function problemsOfLedger(redis: Redis): Promise<string[]> {
  const settings = await readSettings(redis, Object.keys(REQUIRED))
  return Object.entries(REQUIRED)
    .filter(([name, { is }]) => settings[name] !== is)
    .map(([name, { is, because }]) => `LEDGER_REDIS_URL: ${name} must be ${is}: ${because}`)
}

async function readSettings(redis: Redis, names: readonly string[]): Promise<Record<string, string>> {
  const answers = await Promise.all(names.map((name) => redis.config('GET', name)))
  return Object.fromEntries(names.map((name, index) => [name, settingIn(answers[index])]))
}

/** CONFIG GET answers a flat list in RESP2 and a map in RESP3. */
function settingIn(answer: unknown): string {
  if (Array.isArray(answer)) return String(answer[1] ?? '')
  return String(Object.values(answer ?? {})[0] ?? '')
}
