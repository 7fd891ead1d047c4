import { readFileSync } from 'node:fs'
import type { Credentials } from '@pay/mapper'
import { type AccountReport, createAccountReport } from './account-report.ts'
import { askForAccount, readAccounts, type Terminal } from './accounts.ts'
import { daysBetween, shifted } from './day.ts'
import { createMatch, type Result } from './match.ts'
import { openBooks } from './open-books.ts'
import type { ReconcileOptions } from './options.ts'
import { createRsapi, NoReport, type ReadDay } from './rsapi.ts'
import { Unusable } from './unusable.ts'

export type Reconciled = Result & {
  day: string
  zone: string
  isOver: boolean
  accounts: readonly string[]
  /** Accounts that could not be compared, and why. */
  failed: readonly { account: string; reason: string }[]
}

type Tools = Terminal & { tell: (progress: string) => void }

/* The match of a day.
 * 1. Whose reports, and may they be asked for (accounts.ts).
 * 2. The ledger is there, and is all of it (open-books.ts).
 * 3. PayConex' reports of the day, the one before and the one after, account by account (rsapi.ts): whoever gives none, or half of one,
 *    is named and not compared.
 * 4. Every payment of the ledger against them (match.ts).
 * 5. Where something is charged that should not be: what was given back on later days. */
export async function reconcile(options: ReconcileOptions, tools: Tools): Promise<Reconciled> {
  const { env, zone, day, account: only, ignoresUnnamed } = options
  const chosen = await choose(options, tools)
  const books = await openBooks(env)
  try {
    const readDay = createRsapi({
      url: env.PAYCONEX_URL,
      ca: env.CA_FILE && readFileSync(env.CA_FILE, 'utf8'),
      proxyUrl: env.PAYCONEX_PROXY_URL,
    })
    const failed = new Map<string, string>()
    const attempt = async (account: string, read: () => Promise<void>) => {
      try {
        await read()
      } catch (error) {
        if (!(error instanceof NoReport)) throw error
        failed.set(account, error.message)
      }
    }

    const reports = new Map<string, AccountReport>()
    const around = daysBetween(shifted(day.name, -1) ?? '', earlier(shifted(day.name, 1) ?? '', day.today))
    for (const credentials of chosen) {
      const { accountId } = credentials
      await attempt(accountId, async () => {
        reports.set(accountId, await readReport({ readDay, credentials, days: around, tools }))
      })
    }

    const isPassedOver = (account: string) => failed.has(account) || (only !== undefined && account !== only)
    const match = createMatch({ day, reports, ignoresUnnamed, isPassedOver })
    const onProgress = (read: number, keys: number) => tools.tell(`ledger: ${read} of about ${keys} payments`)
    for await (const record of books.payments({ onProgress })) match.see(record)

    const later = daysBetween(shifted(day.name, 2) ?? '', day.today)
    for (const accountId of later.length > 0 ? match.doubtful() : []) {
      const credentials = chosen.find((one) => one.accountId === accountId)
      const report = reports.get(accountId)
      if (credentials && report)
        await attempt(accountId, () => readUndoes({ readDay, credentials, days: later, report, tools }))
    }

    const accounts = chosen.map(({ accountId }) => accountId)
    const failures = [...failed].map(([account, reason]) => ({ account, reason }))
    return { day: day.name, zone, isOver: day.isOver, accounts, failed: failures, ...match.conclude() }
  } finally {
    books.close()
  }
}

const earlier = (one: string, other: string) => (one < other ? one : other)

async function choose({ account, accountsFile }: ReconcileOptions, terminal: Terminal): Promise<Credentials[]> {
  const given = accountsFile === undefined ? [] : readAccounts(accountsFile)
  if (account === undefined) return given
  const chosen = given.filter(({ accountId }) => accountId === account)
  if (chosen.length > 0) return chosen
  if (accountsFile !== undefined) throw new Unusable(`${accountsFile}: has no access key of account ${account}`)
  return [await askForAccount(account, terminal)]
}

type Reading = { readDay: ReadDay; credentials: Credentials; days: readonly string[]; tools: Tools }

async function readReport(reading: Reading): Promise<AccountReport> {
  const report = createAccountReport()
  for await (const row of rowsOf(reading)) report.add(row)
  report.close()
  return report
}

async function readUndoes({ report, ...reading }: Reading & { report: AccountReport }): Promise<void> {
  for await (const row of rowsOf(reading)) if (row.kind === 'undo') report.addUndo(row)
}

async function* rowsOf({ readDay, credentials, days, tools }: Reading) {
  for (const day of days) {
    let read = 0
    for await (const rows of readDay(credentials, day)) {
      read += rows.length
      tools.tell(`PayConex: account ${credentials.accountId}, ${day}: ${read} transactions`)
      yield* rows
    }
  }
}
