import type { Random } from '../../../scripts/chaos/random.ts'
import * as recorded from './recorded-answers.ts'

/** Answers of PayConex with something wrong, as text: members that say something else, are missing, come twice or under another name, and
 * texts that are cut, damaged or wrapped. Test support only; what they may be taken for says `fuzz-oracle.ts`. */
export function fuzzAnswer(random: Random): { status: number; text: string } {
  const members = edited(random, membersOf(random.pick(ANSWERS)))
  const text = random.isHit(0.2) ? asForm(members) : asJson(random, members)
  return { status: random.pick(STATUSES), text: random.isHit(0.25) ? random.pick(DAMAGES)(text, random) : text }
}

/** As written: its name, and its value in JSON. */
type Member = readonly [name: string, value: string]

const LOOKED_UP = { found: true, ...recorded.saleApproved }
const LOOKED_UP_DECLINED = { found: true, ...recorded.saleDeclined, transaction_id: '000000012345' }
const NOT_FOUND = { found: false, error: false, error_code: 0 }
const RESERVED = { transaction_id: '000000012345', error: false, error_code: 0, error_message: null }

const LOOKED_UPS = [LOOKED_UP, LOOKED_UP, LOOKED_UP_DECLINED, LOOKED_UP_DECLINED, NOT_FOUND]
const ANSWERS = [...Object.values(recorded), ...LOOKED_UPS, RESERVED]

const STATUSES = [200, 200, 200, 200, 200, 200, 201, 204, 302, 307, 400, 401, 402, 404, 409, 422, 429, 500, 503]

const NAMES = [
  'transaction_id',
  'transaction_approved',
  'transaction_approved',
  'error',
  'error',
  'error_code',
  'error_code',
  'error_message',
  'error_msg',
  'authorization_message',
  'transaction_amount',
  'request_amount',
  'original_transaction_id',
  'found',
  'found',
  '__proto__',
  'constructor',
  'hasOwnProperty',
]

const WORDS = 'true false 1 0 "1" "0" "Y" "N" "yes" "no" " TRUE " "False" null "" 2 "maybe" "null" "undefined"'.match(
  /" ?\w* ?"|\w+/g,
) as string[]
const IDS =
  '"000000012345" 12345 "12345" " 12345 " "000000099999" "000000012349" 99999 0 "-1" "4111111111111111"'.split(
    / (?!1|")/,
  )
const CODES =
  '0 "0" "00" 0.0 -0 30002 "30370" 20687 "20687" "x" 0.5 1e21 "4111-1111-1111-1111" "4111.1111.1111.1111" "<b>"'.split(
    ' ',
  )
const AMOUNTS =
  '10 10.0 "10.00" "0010.000" 9.99 10.01 100 "10,00" "1e1" 1e1 -10 "NaN" "Infinity" 1e400 "１０.００"'.split(' ')
const NONSENSE = [
  '[]',
  '[true]',
  '{}',
  '{"a":true}',
  '[["1"]]',
  '"\\u0000"',
  '"\\ud800"',
  `"${'x'.repeat(3000)}"`,
  `"${'9'.repeat(300)}"`,
]
const CARDS = [
  '4111111111111111',
  '4111 1111 1111 1111',
  '4111-1111-1111-1111',
  '4111.1111.1111.1111',
  '41/11/11/11/11/11/11/11',
  '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1',
  '4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1',
  '４１１１１１１１１１１１１１１１',
  '٤١١١١١١١١١١١١١١١',
  '4\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1\u200b1',
  '④①①①①①①①①①①①①①①①',
  'CVV 123',
  'cvv=1-2-3',
]
const ECHOES = CARDS.map((card) => JSON.stringify(`Card ${card} refused`))
const VALUES = [WORDS, WORDS, IDS, CODES, AMOUNTS, NONSENSE, ECHOES]

const membersOf = (answer: object): Member[] =>
  Object.entries(answer).map(([name, value]) => [name, JSON.stringify(value)])

const FITTING = new Map<string, readonly string[]>(
  Object.entries({
    transaction_approved: WORDS,
    error: WORDS,
    found: WORDS,
    transaction_id: IDS,
    original_transaction_id: IDS,
    error_code: CODES,
    transaction_amount: AMOUNTS,
    request_amount: AMOUNTS,
    error_message: ECHOES,
  }),
)

function edited(random: Random, members: Member[]): Member[] {
  let now = members
  for (let edits = random.whole(0, 4); edits > 0; edits -= 1) now = random.pick(EDITS)(now, random)
  return now
}

function draw(random: Random, name = random.pick(NAMES)): Member {
  const fitting = FITTING.get(name)
  return [name, random.pick(fitting && random.isHit(0.8) ? fitting : random.pick(VALUES))]
}

type Edit = (members: Member[], random: Random) => Member[]

function say(members: Member[], random: Random): Member[] {
  const [name, value] = draw(random)
  return members.some(([known]) => known === name)
    ? members.map((member) => (member[0] === name ? [name, value] : member))
    : [...members, [name, value]]
}

const rename =
  (rewrite: (name: string) => string): Edit =>
  (members, random) => {
    const wanted = random.pick(NAMES)
    return members.map(([name, value]) => [name === wanted ? rewrite(name) : name, value])
  }

const EDITS: readonly Edit[] = [
  say,
  say,
  say,
  say,
  (members, random) => members.filter(([name]) => name !== random.pick(NAMES)),
  (members, random) => [...members, draw(random)],
  (members, random) => [draw(random), ...members],
  (members, random) => {
    const [name, value] = draw(random)
    return [...members, [name.toUpperCase(), value]]
  },
  rename((name) => name.toUpperCase()),
  rename((name) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())),
]

function asJson(random: Random, members: Member[]): string {
  const escaped = random.isHit(0.1)
  const written = members.map(([name, value]) => `${escaped ? escapedName(name) : JSON.stringify(name)}:${value}`)
  return random.isHit(0.2) ? `{\n  ${written.join(',\n  ')}\n}` : `{${written.join(',')}}`
}

/** "transaction_approved" spelled otherwise is the same name. */
const escapedName = (name: string) => `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"`

const asForm = (members: Member[]) =>
  members
    .filter(([, value]) => value !== 'null')
    .map(([name, value]) => `${name}=${encodeURIComponent(value.replace(/^"|"$/g, '')).replaceAll('%20', '+')}`)
    .join('&')

type Damage = (text: string, random: Random) => string

const cut: Damage = (text, random) => text.slice(0, random.whole(0, text.length))

const DAMAGES: readonly Damage[] = [
  cut,
  cut,
  (text, random) => text.slice(random.whole(0, 40)),
  (text, random) => {
    const at = random.whole(0, text.length)
    return text.slice(0, at) + random.pick([...'{}[]":,&=<0 1\u0000\uFEFF']) + text.slice(at + random.whole(0, 2))
  },
  (text) => text + text,
  (text) => `${text},${text}`,
  (text) => `${text}\n<!-- 10.0.0.1 -->`,
  (text) => `<html><body>${text}</body></html>`,
  (text) => `[${text}]`,
  (text) => `{"data":${text}}`,
  (text) => JSON.stringify(text),
  (text) => `\uFEFF${text}`,
  (text) => ` \r\n${text}\r\n`,
  (text) => `callback(${text})`,
  (text) => text.replaceAll('"', "'"),
  (text) => Buffer.from(text, 'utf16le').toString('utf8'),
  (text) => Buffer.from(text, 'utf8').toString('latin1'),
  (text) => '['.repeat(20_000) + text,
  () => '',
  () => '<html><head><title>403 Forbidden</title></head></html>',
  () => 'null',
  () => 'OK',
]
