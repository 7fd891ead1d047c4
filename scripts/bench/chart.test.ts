import { expect, it } from 'vitest'
import { drawChart } from './chart.ts'
import type { Chart } from './result.ts'

const costs: Chart = {
  name: 'cost',
  title: 'Cost',
  kind: 'bars',
  x: '',
  y: 'microseconds',
  points: [
    { x: 'plain', y: 100, series: 'gateway' },
    { x: 'plain', y: 50, series: 'worker' },
    { x: 'ours', y: 80, series: 'gateway' },
  ],
}

it('a bar is drawn for each point, on white, and the series are named', () => {
  const svg = drawChart(costs)

  expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/)
  expect(svg).toContain('fill="white"')
  for (const name of ['Cost', 'gateway', 'worker', 'plain', 'ours']) expect(svg).toContain(`>${name}</text>`)
  expect(svg.match(/<rect fill="#4269d0"[^>]*\bx="110"/g)).toHaveLength(2)
})

it('a line is drawn for each series', () => {
  const points = [1, 2, 4].flatMap((x) => ['plain', 'ours'].map((series) => ({ x, y: 10 * x, series })))

  const svg = drawChart({ ...costs, kind: 'lines', points })

  expect(svg.match(/<path [^>]*stroke="#(4269d0|efb118)"/g)).toHaveLength(2)
})
