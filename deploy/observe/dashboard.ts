import { type Panel, ROWS, type Row } from './panels.ts'

/** The dashboard as Grafana 12 and 13 read it: the classic model, which both load from a file.
 * https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/ */
export function dashboard() {
  return {
    uid: 'pay',
    title: 'Pay connector',
    description: 'Twilio’s payments on their way to PayConex. Made by deploy/observe/make.ts.',
    tags: ['pay'],
    schemaVersion: 41,
    version: 1,
    editable: false,
    graphTooltip: 1,
    timezone: 'browser',
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    annotations: { list: [] },
    links: [],
    templating: { list: [SOURCE] },
    panels: placed(ROWS),
  }
}

/** Which Prometheus: the only thing that is to be chosen. */
const SOURCE = {
  name: 'datasource',
  label: 'Prometheus',
  type: 'datasource',
  query: 'prometheus',
  current: {},
  hide: 0,
  includeAll: false,
  multi: false,
  options: [],
  refresh: 1,
  regex: '',
}

const datasource = { type: 'prometheus', uid: `\${${SOURCE.name}}` }

// Grafana's grid is 24 wide.
const WIDTH = 24
const NUMBER = { w: 4, h: 4 }
const LINES = { w: 8, h: 8 }

function placed(rows: readonly Row[]) {
  const all: object[] = []
  let y = 0
  for (const { title, panels } of rows) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
      panels: [],
    })
    y += 1
    const { w, h } = panels.every(({ limits }) => limits) ? NUMBER : LINES
    for (const [nth, panel] of panels.entries()) {
      const place = { x: (nth * w) % WIDTH, y: y + Math.floor((nth * w) / WIDTH) * h, w, h }
      all.push({ id: all.length + 1, gridPos: place, ...drawn(panel) })
    }
    y += Math.ceil((panels.length * w) / WIDTH) * h
  }
  return all
}

function drawn(panel: Panel) {
  const { title, about, queries, limits } = panel
  const targets = queries.map(({ ask, says }, nth) => ({
    refId: 'ABCDEFGH'[nth],
    datasource,
    editorMode: 'code',
    expr: ask,
    legendFormat: says,
    range: !limits,
    instant: Boolean(limits),
  }))
  return { title, description: about, datasource, targets, ...(limits ? asNumber(panel, limits) : asLines(panel)) }
}

function asNumber({ unit }: Panel, { orange, red }: NonNullable<Panel['limits']>) {
  const steps = [
    { color: 'green', value: null },
    ...(orange === undefined ? [] : [{ color: 'orange', value: orange }]),
    { color: 'red', value: red },
  ]
  return {
    type: 'stat',
    fieldConfig: { defaults: { unit, noValue: '?', thresholds: { mode: 'absolute', steps } }, overrides: [] },
    options: {
      colorMode: 'background',
      graphMode: 'none',
      textMode: 'value',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  }
}

function asLines({ unit, stacked = false }: Panel) {
  const custom = {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: stacked ? 30 : 0,
    showPoints: 'never',
    stacking: { group: 'A', mode: stacked ? 'normal' : 'none' },
  }
  return {
    type: 'timeseries',
    fieldConfig: { defaults: { unit, min: 0, custom }, overrides: [] },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  }
}
