/** What a contender that is not ours is told by its environment. */
export const settingsOf = (env: NodeJS.ProcessEnv) => ({
  port: Number(env.PORT),
  payments: `${env.PAYCONEX_URL}/api/qsapi/3.8`,
  redis: { url: env.QUEUE_REDIS_URL ?? '' },
  concurrency: Number(env.WORKER_CONCURRENCY),
})
