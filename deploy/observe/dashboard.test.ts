import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { isHere, runIfHere } from '../testing-tool.ts'
import { dashboard } from './dashboard.ts'
import { ROWS } from './panels.ts'
import { read, shown, unknownIn } from './testing-shown.ts'

const shipped = JSON.parse(read('grafana/dashboards/pay.json'))
const panels = ROWS.flatMap((row) => row.panels)

describe('the dashboard', () => {
  it('is the one that is made (otherwise: node deploy/observe/make.ts && npm run format)', () => {
    expect(shipped).toEqual(JSON.parse(JSON.stringify(dashboard())))
  })

  it.each(panels)('asks in "$title" for what the processes show', async ({ queries }) => {
    const all = await shown()

    expect(queries.flatMap(({ ask }) => unknownIn(ask, all))).toEqual([])
  })

  it('has panels that do not cover each other, each under an id of its own', () => {
    const { panels: all } = shipped as { panels: { id: number; gridPos: Record<'x' | 'y' | 'w' | 'h', number> }[] }
    const cells = all.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, nth) => `${x + (nth % w)},${y + Math.floor(nth / w)}`),
    )

    expect(new Set(cells).size).toBe(cells.length)
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    expect(all.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
  })

  it('asks the Prometheus that is chosen, and Grafana is given one', () => {
    const { datasources } = parse(read('grafana/provisioning/datasources/prometheus.yaml')) as {
      datasources: { type: string }[]
    }

    expect(shipped.templating.list).toMatchObject([{ name: 'datasource', type: 'datasource', query: 'prometheus' }])
    expect(new Set(JSON.stringify(shipped).match(/"uid":"[^"]*"/g))).toEqual(
      new Set(['"uid":"pay"', `"uid":"\${datasource}"`]),
    )
    expect(datasources).toMatchObject([{ type: 'prometheus', url: 'http://prometheus:9090' }])
  })
})

const ofPromtool = isHere('promtool') ? 'is understood by promtool' : 'would be shown to promtool, which is not here'

describe('the configuration of Prometheus', () => {
  const path = fileURLToPath(new URL('prometheus.yml', import.meta.url))
  const { scrape_configs: jobs } = parse(read('prometheus.yml')) as { scrape_configs: { job_name: string }[] }

  it(ofPromtool, () => {
    const checked = runIfHere('promtool', ['check', 'config', path])

    expect(checked?.status ?? 0, `${checked?.stdout}${checked?.stderr}`).toBe(0)
  })

  it('calls the jobs as the alerts know them', () => {
    expect(jobs.map(({ job_name: name }) => name)).toEqual(['pay-gateway', 'pay-worker'])
  })
})
