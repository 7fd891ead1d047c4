/** How many refusals a gateway has counted, and how many of them took it at most 50 ms, by its own clock. */
export type Refusals = { all: number; atOnce: number }

const NAME = 'pay_gateway_refusal_duration_seconds'
const AT_ONCE_SECONDS = '0.05'

/** Reads them from the page that a gateway has for its operators. */
export async function readRefusals(opsUrls: readonly string[]): Promise<Refusals> {
  const pages = await Promise.all(opsUrls.map(async (url) => (await fetch(`${url}/metrics`)).text()))
  return parseRefusals(pages.join('\n'))
}

export function parseRefusals(page: string): Refusals {
  const of = (pattern: RegExp) => [...page.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0)
  return {
    all: of(new RegExp(`^${NAME}_count\\{[^}]*\\} (\\d+)$`, 'gm')),
    atOnce: of(new RegExp(`^${NAME}_bucket\\{[^}]*le="${AT_ONCE_SECONDS}"[^}]*\\} (\\d+)$`, 'gm')),
  }
}
