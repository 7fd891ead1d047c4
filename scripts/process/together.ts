type Stoppable = { stop: (graceMs: number) => Promise<unknown> } | undefined

type Starting<Things extends readonly unknown[]> = { [Index in keyof Things]: Promise<Things[Index]> }

/** Waits for things that start side by side. When one fails, those that did start are stopped before its error is thrown. */
export async function together<Things extends readonly Stoppable[]>(starting: Starting<Things>): Promise<Things> {
  try {
    return await allEnded(starting)
  } catch (error) {
    const settled = await Promise.allSettled<Stoppable>(starting)
    await Promise.all(settled.map((result) => result.status === 'fulfilled' && result.value?.stop(0)))
    throw error
  }
}

/** Like `Promise.all`, but throws only when nothing is under way any more. */
export async function allEnded<Things extends readonly unknown[]>(starting: Starting<Things>): Promise<Things> {
  await Promise.allSettled(starting)
  return (await Promise.all(starting)) as unknown as Things
}
