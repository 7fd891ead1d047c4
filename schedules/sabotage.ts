import type { ScriptName } from '../packages/ledger/src/scripts.ts'
import { realTexts, type Texts } from './laboratory.ts'
import type { Settings } from './schedule.ts'

/** One guard of the ledger's scripts, and the text without it. Where two guards stand for each other both are taken out.
 * `where`: the settings without which it could not be missed at all, so that they need not be waited for. */
export type Sabotage = Edit & { guard: string; and?: Edit; where?: Partial<Settings> }

type Edit = { script: ScriptName | 'common'; from: string; to: string }

/** The scripts with one guard taken out. Fails where the guard does not stand there exactly once: the script was changed, and
 * this list must follow. */
export function sabotaged({ guard, and, where: _where, ...edit }: Sabotage): Texts {
  const texts = realTexts()
  for (const { script, from, to } of and ? [edit, and] : [edit]) {
    for (const name of Object.keys(texts) as ScriptName[]) {
      if (script !== 'common' && script !== name) continue
      if (texts[name].split(from).length !== 2) throw new Error(`${guard}: not found exactly once in ${name}`)
      texts[name] = texts[name].replace(from, () => to)
    }
  }
  return texts
}

const REFUSE = "then return answer('refused', now) end"

const TWO_WAIT_ONE_LEAVES: Settings['calls'] = [
  { payment: 0, variant: 0, tries: 1 },
  { payment: 0, variant: 0, tries: 6 },
  { payment: 0, variant: 0, tries: 1 },
]

/** Guards without which some schedule breaks a rule. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    guard: 'every script: the ledger did not go back',
    script: 'common',
    from: 'if book[1] ~= ARGV[2] or tonumber(book[2]) < tonumber(ARGV[3]) then',
    to: 'if false then',
  },
  {
    guard: 'every script: a clock that went back is too late',
    script: 'common',
    from: 'if since < 0 then return math.huge end',
    to: '',
  },
  {
    guard: 'admit: another request is refused',
    script: 'admit',
    from: "if not same then return answer('reused', now) end",
    to: '',
  },
  {
    guard: 'admit: a decline stands for the same request',
    script: 'admit',
    from: "if state == 'declined' and not same then",
    to: "if state == 'declined' then",
  },
  {
    guard: 'admit: only what ran out is begun anew',
    script: 'admit',
    from: "if state == 'accepted' and same and elapsed(now) >= sendBy then",
    to: "if state == 'accepted' and same then",
  },
  {
    guard: 'admit: only the same request begins anew what ran out',
    script: 'admit',
    from: "if state == 'accepted' and same and elapsed(now) >= sendBy then",
    to: "if state == 'accepted' and elapsed(now) >= sendBy then",
  },
  {
    guard: 'admit: whoever reads an approval has heard of it',
    where: { lateApproval: 'reverse' },
    script: 'admit',
    from: "if state == 'approved' then note(HEARD, '1') end",
    to: '',
  },
  {
    guard: 'leave: the others stay',
    where: { lateApproval: 'reverse', maxWaiting: 100, capacity: undefined, calls: TWO_WAIT_ONE_LEAVES },
    script: 'leave',
    from: 'if seat ~= ARGV[4] then',
    to: 'if false then',
  },
  {
    guard: 'withdraw: the state',
    script: 'withdraw',
    from: `if record[STATE] ~= 'accepted' or record[ATTEMPT] ~= ARGV[4] ${REFUSE}`,
    to: `if record[ATTEMPT] ~= ARGV[4] ${REFUSE}`,
  },
  {
    guard: 'withdraw: the attempt',
    script: 'withdraw',
    from: `if record[STATE] ~= 'accepted' or record[ATTEMPT] ~= ARGV[4] ${REFUSE}`,
    to: `if record[STATE] ~= 'accepted' ${REFUSE}`,
  },
  {
    guard: 'withdraw: not before SEND_BY',
    script: 'withdraw',
    from: `if ARGV[9] ~= '' and elapsed(now) < tonumber(ARGV[9]) ${REFUSE}`,
    to: '',
  },
  {
    guard: 'fence: the state',
    script: 'fence',
    from: `if state ~= 'accepted' and not mine ${REFUSE}`,
    to: '',
  },
  {
    guard: 'fence: in sending only the owner',
    script: 'fence',
    from: "state == 'sending' and record[OWNER] == owner and record[RESERVED] == reserved",
    to: "state == 'sending'",
  },
  { guard: 'fence: the attempt', script: 'fence', from: `if record[ATTEMPT] ~= attempt ${REFUSE}`, to: '' },
  { guard: 'fence: SEND_BY', script: 'fence', from: `if elapsed(now) >= sendBy ${REFUSE}`, to: '' },
  {
    guard: 'fence: an id is used for one payment',
    where: { reserve: 'required', calm: 32 },
    script: 'fence',
    from: "if reserved ~= '' and isAnothers(KEYS[5], reserved, ARGV[9]) then return answer('used', now) end",
    to: '',
  },
  {
    guard: 'repeat: the state and the owner',
    script: 'repeat',
    from: `if record[STATE] ~= 'sending' or record[ATTEMPT] ~= ARGV[4] or owner ~= ARGV[5] ${REFUSE}`,
    to: '',
  },
  {
    guard: 'repeat: the proof that ids are honoured',
    script: 'repeat',
    from: `if honoured ~= 'yes' ${REFUSE}`,
    to: '',
  },
  {
    guard: 'repeat: not when nobody can hear of it',
    script: 'repeat',
    from: `if elapsed(now) >= tonumber(ARGV[7]) ${REFUSE}`,
    to: '',
  },
  {
    guard: 'finish: the owner',
    script: 'finish',
    from: 'if record[ATTEMPT] ~= attempt or record[OWNER] ~= known then',
    to: 'if record[ATTEMPT] ~= attempt then',
  },
  {
    guard: 'finish: absent only where PayConex honours ids',
    script: 'finish',
    from: ' and isHonoured()',
    to: '',
  },
  {
    guard: 'finish: absent only when not found twice, apart',
    script: 'finish',
    from: 'local isAbsent = isLongSince and absent and lookedAt - absent >= gapMs and',
    to: 'local isAbsent = isLongSince and',
  },
  {
    guard: 'finish and reverse: who waited has heard',
    script: 'finish',
    from: "if state == 'approved' and waiting ~= '' then note(HEARD, '1') end",
    to: '',
    and: { script: 'reverse', from: " or record[WAITING] ~= ''", to: '' },
  },
  {
    guard: 'take-over: its owner is silent',
    script: 'takeOver',
    from: "(isAtRest or ARGV[7] == 'forgotten' or leftOf(KEYS[4], now, leaseMs) <= 0)",
    to: 'true',
  },
  {
    guard: 'take-over: it is still the owner that was seen',
    script: 'takeOver',
    from: 'local isFree = owner == present and',
    to: 'local isFree =',
  },
  {
    guard: 'take-over: it is open',
    script: 'takeOver',
    from: 'if not isOpen or not (isMine or isFree) then',
    to: 'if not (isMine or isFree) then',
  },
  {
    guard: 'release: the owner',
    script: 'release',
    from: " or record[OWNER] ~= ARGV[4] then return answer('refused', now) end",
    to: " then return answer('refused', now) end",
  },
  {
    guard: 'reverse: nobody can ask any more',
    where: { lateApproval: 'reverse', meanwhile: 'the clock goes back' },
    script: 'reverse',
    from: `if now - tonumber(record[FIRST]) < tonumber(ARGV[6]) ${REFUSE}`,
    to: '',
  },
  {
    guard: 'reverse: nobody has heard',
    where: { lateApproval: 'reverse', meanwhile: 'a call' },
    script: 'reverse',
    from: `if record[HEARD] == '1' or record[WAITING] ~= '' ${REFUSE}`,
    to: '',
  },
]

/** Guards that stand twice. No schedule can miss one of them, because another stops the same step: they are there for the day on
 * which the other is changed. */
export const REDUNDANT: readonly { guard: string; why: string }[] = [
  { guard: 'finish: the attempt', why: 'a new attempt has no owner yet, so the comparison of owners refuses' },
  { guard: 'finish: absent only after so long', why: 'the worker compares the same times before it says so' },
  {
    guard: 'leave: who reads an approval has heard of it',
    why: 'who leaves had a seat when it was approved, and counts as told',
  },
  {
    guard: 'finish: unsent only by the first owner',
    why: 'only a first owner ever says so, and a later one owns it then',
  },
  { guard: 'finish: approved only with an id', why: 'the answer without an id is no answer (packages/mapper)' },
  { guard: 'repeat: only with an id', why: 'without an id nothing is asked about, so nothing is sent again' },
  { guard: 'repeat: not too soon', why: 'the worker waits as long by its own clock' },
  { guard: 'reverse: only charges', why: 'a token is never left open for it' },
  { guard: 'due: one sweeper', why: 'two of them only ask twice: take-over lets one of them win' },
  { guard: 'step: the table of legal steps', why: 'each script compares the state first' },
]
