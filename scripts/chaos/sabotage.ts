import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { guard } from '../process/guard.ts'
import { repository } from '../stack/service.ts'

/** A safeguard, and the text without it. */
type Patch = { file: string; from: string; to: string }

export type Sabotage = keyof typeof sabotages

/** What can be taken away. Each is one place in the source, and each alone costs somebody money: so a run without it must
 * find that. */
export const sabotages = {
  /** The fence lets a payment through that another worker is sending already. */
  fence: {
    file: 'packages/ledger/src/scripts/fence.lua',
    from: "if state ~= 'accepted' and not mine then return answer('refused', now) end\n",
    to: '',
  },
  /** The fence lets the job of an attempt through that is over: it sends what a later attempt was asked for otherwise. */
  attempt: {
    file: 'packages/ledger/src/scripts/fence.lua',
    from: "if record[ATTEMPT] ~= attempt then return answer('refused', now) end\n",
    to: '',
  },
  /** A worker whose answer is lost does not ask what became of it: it sends again, under a fresh id. */
  lookup: {
    file: 'apps/worker/src/settle.ts',
    from: "if (submitted.kind !== 'unsent') return entryOf(submitted) ?? ask(unanswered(unclear, submitted))\n",
    to: `if (submitted.kind !== 'unsent') {
        if (submitted.kind !== 'unanswered') return entryOf(submitted) ?? ask(unanswered(unclear, submitted))
        const fresh = await payconex.reserve(credentials)
        const reservedId = fresh.kind === 'reserved' ? fresh.transactionId : undefined
        const again = await payconex.submit(transaction, { reservedId })
        return (again.kind === 'unsent' ? undefined : entryOf(again)) ?? ask(unanswered(unclear, submitted))
      }
`,
  },
} as const satisfies Record<string, Patch>

/** Lends a copy of the source without one safeguard, and removes it afterwards; without a sabotage lends nothing, which
 * means this source. The original is never touched. */
export async function withSource<Result>(
  sabotage: Sabotage | undefined,
  use: (source: string | undefined) => Promise<Result>,
): Promise<Result> {
  if (sabotage === undefined) return use(undefined)
  const copy = await mkdtemp(join(tmpdir(), 'pay-source-'))
  const release = guard('folder', copy)
  try {
    await copySource(copy)
    await apply(sabotages[sabotage], copy)
    return await use(copy)
  } finally {
    await rm(copy, { recursive: true, force: true })
    release()
  }
}

const COPIED = ['packages', 'apps', 'package.json']

/** The copy's packages are its own, everything else under node_modules is linked. */
async function copySource(copy: string): Promise<void> {
  const isSource = (path: string) => !/(^|[/\\])(node_modules|\.turbo)([/\\]|$)/.test(relative(repository, path))
  for (const name of COPIED) await cp(join(repository, name), join(copy, name), { recursive: true, filter: isSource })
  const modules = join(repository, 'node_modules')
  await mkdir(join(copy, 'node_modules', OWN), { recursive: true })
  const others = (await readdir(modules)).filter((name) => name !== OWN && name !== '.bin')
  for (const name of others) await link(join(modules, name), join(copy, 'node_modules', name))
  for (const name of await readdir(join(copy, 'packages'))) {
    await link(join(copy, 'packages', name), join(copy, 'node_modules', OWN, name))
  }
}

/** The scope of this repository's own packages; each is called like its folder. */
const OWN = '@pay'

/** A junction, where the system has them: a link that needs no rights. It does nothing for files. */
const link = (target: string, path: string) => symlink(target, path, 'junction')

/** Refuses to go on when the text is not there exactly once: a run that finds nothing because nothing was taken away would
 * look like a good one. */
async function apply({ file, from, to }: Patch, copy: string): Promise<void> {
  const path = join(copy, file)
  const text = await readFile(path, 'utf8')
  const found = text.split(from).length - 1
  if (found !== 1) throw new Error(`${file}: what is to be taken away stands there ${found} times, not once:\n${from}`)
  await writeFile(
    path,
    text.replace(from, () => to),
  )
}
