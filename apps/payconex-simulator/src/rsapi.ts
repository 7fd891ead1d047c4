import type { Request, Response } from 'express'
import { type Answer, refuse } from './answers.ts'
import { type Fields, readFields } from './fields.ts'
import type { Entry } from './ledger.ts'
import { refuseAccount } from './order.ts'
import { invalidField, type Refusal } from './refusals.ts'
import type { World } from './world.ts'

/** RSAPI 3.8: the transactions of a day, or of a range of days. Its parameters are documented or seen in clients; that a row has the
 * members of the answer to its transaction, that the report is an array of them, and that a day is one of US Central time, are our
 * guess. https://developers.bluefin.com/payconex/docs/reporting-service-api-rsapi */
export const createRsapi =
  ({ ledger, settings }: World) =>
  ({ body }: Request, response: Response): void => {
    const fields = readFields(body)
    const days = readDays(fields)
    const refusal = refuseAccount(fields) ?? ('message' in days ? days : undefined)
    if (refusal || 'message' in days) return void response.json(refuse(refusal ?? invalidField('transaction_date')))
    const filter = settings.current.reportFiltersByCustomId ? fields.custom_id : undefined
    const rows = ledger
      .entries(filter)
      .filter(({ order }) => order.accountId === fields.account_id)
      .filter(({ verdict }) => fields.status !== 'APPROVED' || verdict.approved)
      .filter((entry) => days.first <= dayOf(entry) && dayOf(entry) <= days.last)
      .map(({ answer }) => answer)
    if (fields.response_format === 'JSON') response.json(rows)
    else response.type('text/csv').send(toCsv(rows))
  }

type Days = { readonly first: string; readonly last: string }

/** A range wins over a single day, even if its start is blank (documented). */
function readDays({ start_date, end_date, transaction_date }: Fields): Days | Refusal {
  const isRange = start_date !== undefined || end_date !== undefined
  const first = isRange ? (start_date ?? '0000-01-01') : transaction_date
  const last = isRange ? (end_date ?? '9999-12-31') : transaction_date
  if (!isDay(first) || !isDay(last)) return invalidField(isRange ? 'start_date' : 'transaction_date')
  return { first, last }
}

const isDay = (text: string | undefined): text is string => /^\d{4}-\d\d-\d\d$/.test(text ?? '')

const dayOf = ({ answer }: Entry): string => String(answer.transaction_timestamp).slice(0, 'YYYY-MM-DD'.length)

/** The columns are all members that any row has. */
function toCsv(rows: readonly Answer[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return [names, ...rows.map((row) => names.map((name) => row[name] ?? ''))]
    .map((line) => line.map((value) => `"${String(value).replaceAll('"', '""')}"`).join(','))
    .join('\r\n')
}
