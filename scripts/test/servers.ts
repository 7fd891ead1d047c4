import { type RedisOptions, type RunningRedis, type StartRedis, startRedis } from '../redis/redis.ts'
import { hasTestcontainers, startRedisTestcontainer } from '../redis/testcontainer.ts'
import { type Stack, type StackOptions, startStack } from '../stack/stack.ts'

type Choice = 'containers' | 'local'

/** Where tests get their Redis. `TEST_REDIS=containers` or `local` decides; unset, Testcontainers when an engine answers and
 * has the image, otherwise a Redis of this machine. */
export async function chooseTestRedis(env: NodeJS.ProcessEnv = process.env): Promise<Choice> {
  const wish = env.TEST_REDIS
  if (wish === 'containers' || wish === 'local') return wish
  if (wish) throw new Error('TEST_REDIS must be containers or local')
  return (await hasTestcontainers()) ? 'containers' : 'local'
}

/** One Redis for tests, from where `chooseTestRedis` says. */
export const startTestRedis: StartRedis = async (options: RedisOptions): Promise<RunningRedis> => {
  const start = (await chooseTestRedis()) === 'containers' ? startRedisTestcontainer : startRedis
  return start(options)
}

/** The whole system on such Redis servers. */
export function startTestStack(options: StackOptions = {}): Promise<Stack> {
  return startStack({ startRedis: startTestRedis, ...options })
}
