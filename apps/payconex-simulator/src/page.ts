import { showLedger } from './control.ts'
import { magicAmounts } from './faults.ts'
import { decimal } from './ledger.ts'
import type { World } from './world.ts'

const MAX_ROWS = 200

/** The books on one page, for people. It reloads itself and needs nothing from elsewhere. */
export function renderPage(world: World): string {
  const { transactions, duplicates, requests, charged, returned } = showLedger(world)
  const rows = transactions.slice(-MAX_ROWS).reverse()
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width">
<title>${duplicates.length} duplicates - PayConex simulator</title>
<style>${STYLE}</style>
</head>
<body>
<h1>PayConex simulator</h1>
<p>A stand-in for QSAPI and TSAPI 3.8. No money moves. Control: <a href="/_sim">/_sim</a>,
ledger as JSON: <a href="/_sim/ledger">/_sim/ledger</a>.</p>
<div class="cards">
${card(duplicates.length === 0 ? 'good' : 'bad', duplicates.length, 'duplicates')}
${card('', charged.count, `charged, ${charged.total} in all`)}
${card('', returned.count, `given back, ${returned.total} in all`)}
${card('', transactions.length, 'transactions')}
${card('', world.lines.count(), 'requests held')}
</div>
${duplicates.length === 0 ? '' : section('Duplicates', table(duplicates, 'bad'))}
${section('Transactions, newest first', table(rows.map(shorten(duplicatedIds(duplicates)))))}
${section('Active faults', table(world.faults.list()))}
${section('Settings', table([world.settings.current]))}
${section('Requests received', table([requests]))}
${section('Amounts that do something', table(amounts))}
</body>
</html>
`
}

const amounts = [
  { amount: '1.01', what: 'declined' },
  ...magicAmounts.map(({ cents, says }) => ({ amount: decimal(cents), what: says })),
]

/** Every value on the page goes through here: a custom_id is whatever a caller likes, also markup. */
const toHtml = (value: unknown) =>
  String(value ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const card = (mood: string, count: number, label: string) =>
  `<div class="card ${mood}"><b>${count}</b> ${toHtml(label)}</div>`

const section = (title: string, content: string) => `<h2>${toHtml(title)}</h2>\n${content}`

type Row = Readonly<Record<string, unknown>> & { readonly mood?: string }

function table(rows: readonly Row[], mood = ''): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => name !== 'mood')
  if (rows.length === 0) return '<p>none</p>'
  const head = names.map((name) => `<th>${toHtml(name)}</th>`).join('')
  const body = rows.map((row) => `<tr class="${row.mood ?? mood}">${cells(row, names)}</tr>`)
  return `<table><tr>${head}</tr>\n${body.join('\n')}</table>`
}

const cells = (row: Row, names: readonly string[]) =>
  names.map((name) => `<td>${toHtml(show(row[name]))}</td>`).join('')

const show = (value: unknown) => {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return Array.isArray(value) ? value.join(', ') : value
}

const duplicatedIds = (duplicates: readonly { transaction_ids: readonly string[] }[]) =>
  new Set(duplicates.flatMap(({ transaction_ids: ids }) => ids))

/** A row of the ledger, red when it is one of a double charge and grey when it is a decline. */
const shorten =
  (duplicated: ReadonlySet<string>) =>
  (row: { transaction_id: string; approved: boolean }): Row => ({
    ...row,
    mood: duplicated.has(row.transaction_id) ? 'bad' : row.approved ? '' : 'declined',
  })

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1c2733; background: #f6f8fa }
h1 { margin: 0 } h2 { margin: 2rem 0 .5rem; font-size: 1.1rem }
.cards { display: flex; flex-wrap: wrap; gap: 1rem }
.card { background: #fff; border-radius: 8px; padding: .8rem 1.4rem; box-shadow: 0 1px 3px #0002 }
.card b { display: block; font-size: 2.4rem; line-height: 1.2 }
.card.good { background: #1a7f37; color: #fff } .card.bad { background: #cf222e; color: #fff }
table { border-collapse: collapse; background: #fff; font-size: 13px; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid #e4e8ec }
th { color: #5b6875; font-weight: 600 }
tr.bad td { background: #ffd7d9; color: #a40e26 } tr.declined td { color: #8a94a0 }
`
