import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { Chart } from './result.ts'

const WIDTH = 720
const LEGEND_HEIGHT = 44
const BAR_HEIGHT = 26
const COLORS = ['#4269d0', '#efb118', '#ff725c', '#6cc5b0', '#a463f2', '#97bbf5', '#9c6b4e', '#9498a0']

/** One chart as SVG, on white, because a page may be dark. Drawn by Observable Plot on a document that is none. */
export function drawChart(chart: Chart): string {
  const { document } = parseHTML('<html><body></body></html>')
  const series = [...new Set(chart.points.map((point) => point.series))]
  const color = { type: 'ordinal', domain: series, range: COLORS.slice(0, series.length) } as const
  const plot = chart.kind === 'bars' ? bars(chart, color, document) : lines(chart, color, document)
  const legend = legendOf(chart.title, color, document)
  const height = Number(plot.getAttribute('height'))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height + LEGEND_HEIGHT}" viewBox="0 0 ${WIDTH} ${height + LEGEND_HEIGHT}" font-family="system-ui, sans-serif" font-size="11">`,
    `<title>${chart.title}</title>`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<g transform="translate(20 4)">${inner(legend, 'Legend')}</g>`,
    `<g transform="translate(0 ${LEGEND_HEIGHT})">${inner(plot, chart.title)}</g>`,
    '</svg>\n',
  ].join('\n')
}

/** Plot's own type for it does not know that a legend, too, may be drawn elsewhere than in a browser. */
const legendOf = (label: string, color: Color, document: Page) => {
  const options = { color: { ...color, label }, legend: 'ramp', width: WIDTH - 40, document } as const
  return Plot.legend(options)
}

type Page = Plot.PlotOptions['document']

type Color = { type: 'ordinal'; domain: string[]; range: string[] }

/** A bar lies, so that its name has room. */
function bars({ points, x, y }: Chart, color: Color, document: Page) {
  const names = [...new Set(points.map((point) => point.x))]
  return Plot.plot({
    document,
    width: WIDTH,
    height: 60 + BAR_HEIGHT * names.length,
    marginLeft: 110,
    color,
    x: { label: y, grid: true, nice: true },
    y: { label: x || null, domain: names },
    marks: [Plot.barX([...points], { y: 'x', x: 'y', fill: 'series' }), Plot.ruleX([0])],
  })
}

function lines({ points, x, y }: Chart, color: Color, document: Page) {
  return Plot.plot({
    document,
    width: WIDTH,
    height: 300,
    marginLeft: 60,
    color,
    x: { label: x, nice: true },
    y: { label: y, grid: true, zero: true, nice: true },
    marks: [
      Plot.ruleY([0]),
      Plot.lineY([...points], { x: 'x', y: 'y', stroke: 'series', strokeWidth: 2 }),
      Plot.dot([...points], { x: 'x', y: 'y', fill: 'series', r: 2.5 }),
    ],
  })
}

/** With a title, for whoever cannot see it. */
const inner = (element: { outerHTML: string }, title: string): string =>
  element.outerHTML.replace('>', `><title>${title}</title>`)
