export const HELP = `npm run payments -- <verb> [options]        in the image: node apps/operator/src/main.ts <verb> [options]

Looks at payments, changes nothing (Redis user: operator)
  show <account> <transaction_id>     the life of one payment; or show <p_...>, its key as it stands in the logs
  list                                open payments, the latest first
      --state unconfirmed,review      in these states (or --state unconfirmed --state review)
      --account <id>  --since 2h      of this account; first tried since (30s, 15m, 2h, 7d, or 2026-11-29T08:00Z)
      --late                          approvals that nobody can have heard of
      --limit 50                      at most so many
  watch                               what is open and what changes, every second, until Ctrl-C
  stats                               how many are open, and since when; --all counts every payment that is remembered
  audit                               what people did by hand; --since 7d, or of one payment: audit <account> <transaction_id>

Changes a payment (Redis user: cashier); all of it goes to the audit stream
  ask <account> <transaction_id>      lets a worker ask PayConex now, and says what came of it
  resolve <account> <transaction_id>  says what became of an unconfirmed payment, or one for review, after a look into PayConex' console
      --as approved --id <PayConex' transaction_id>
      --as declined [--code 30002 --message "DECLINED"]   what the caller hears of the no ("not processed" without)
      --reason "..."                  why, for the audit stream; required
  reverse <account> <transaction_id>  has a charge undone that nobody can have heard of; --reason "..."

More
  --method charge|tokenize            where both have the same transaction_id
  --json                              any verb, for programs: one object, or one a line
  --by <name>                         changes: who does it, for the audit stream (this machine's user)
  --yes                               changes: without being asked; without a terminal nothing is changed unless it is there
  --wait 30                           ask, reverse: so many seconds for a worker to do it
  --help

Reads the environment of a worker: LEDGER_REDIS_URL, SHARDS, CA_FILE and the times; LEDGER_KEY to find a payment by its
transaction_id; SEAL_KEYS where an access key is handed over (ask about one that is for review, reverse). That key is never an
argument: it is asked for, or read from ACCESS_KEY or ACCESS_KEY_FILE. NAME_FILE=/path reads any of them from a file.

Exit code: 0 done, 1 refused or not found, 2 unusable arguments or nobody reached. docs/payments.md has an example of each.
`
