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
  const { env, zone, day } = options
  const chosen = await choose(options, tools)
  const books = await openBooks(env)
  try {
    const desk = createDesk(options, tools)
    await desk.readReports(chosen)
    const match = createMatch({ ...options, reports: desk.reports, isPassedOver: desk.isPassedOver })
    const onProgress = (read: number, keys: number) => tools.tell(`ledger: ${read} of about ${keys} payments`)
    for await (const record of books.payments({ onProgress })) match.see(record)
    await desk.readLater(match.doubtful(), chosen)

    const accounts = chosen.map(({ accountId }) => accountId)
    return { day: day.name, zone, isOver: day.isOver, accounts, failed: desk.failed(), ...match.conclude() }
  } finally {
    books.close()
  }
}

/** PayConex' reports, as far as they can be had. */
function createDesk({ env, day, account: only }: ReconcileOptions, tools: Tools) {
  const ca = env.CA_FILE && readFileSync(env.CA_FILE, 'utf8')
  const readDay = createRsapi({ url: env.PAYCONEX_URL, ca, proxyUrl: env.PAYCONEX_PROXY_URL })
  const reports = new Map<string, AccountReport>()
  const failures = new Map<string, string>()

  async function attempt({ accountId }: Credentials, read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      if (!(error instanceof NoReport)) throw error
      failures.set(accountId, error.message)
    }
  }

  return {
    reports,
    failed: () => [...failures].map(([account, reason]) => ({ account, reason })),
    /** Named elsewhere, or not asked for. */
    isPassedOver: (account: string) => failures.has(account) || (only !== undefined && account !== only),

    /** Of the day and its neighbours, as far as they have come. */
    async readReports(chosen: readonly Credentials[]): Promise<void> {
      const days = daysBetween(shifted(day.name, -1), shifted(day.name, 1)).filter((one) => one <= day.today)
      for (const credentials of chosen) {
        await attempt(credentials, async () => {
          reports.set(credentials.accountId, await readReport({ readDay, credentials, days, tools }))
        })
      }
    },

    /** What these accounts gave back since. */
    async readLater(accounts: readonly string[], chosen: readonly Credentials[]): Promise<void> {
      const days = daysBetween(shifted(day.name, 2), day.today)
      for (const credentials of chosen.filter(({ accountId }) => accounts.includes(accountId))) {
        const report = reports.get(credentials.accountId)
        if (report) await attempt(credentials, () => readUndoes({ readDay, credentials, days, report, tools }))
      }
    },
  }
}

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
