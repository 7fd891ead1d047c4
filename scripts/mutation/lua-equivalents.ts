/** Mutants of the scripts that no test can find, because they do the same, with the reason. A run reports one of these that is found
 * all the same, or is no mutant any more. */
export const EQUIVALENTS: readonly { script: string; from: string; to: string; why: string }[] = [
  ...standsTwice('admit', "step(state, 'accepted')", ['']),
  ...standsTwice('fence', "step(state, 'sending')", ['']),
  ...standsTwice('reverse', "step('approved', 'reversing')", ['']),
  {
    script: 'admit',
    from: "local isTold = told ~= '' and string.find(' ' .. told .. ' ', ' ' .. fingerprint .. ' ', 1, true)",
    to: "local isTold = (string.find(' ' .. told .. ' ', ' ' .. fingerprint .. ' ', 1, true))",
    why: 'nothing is found in an empty list',
  },
  {
    script: 'admit',
    from: "if record[LEFT] then redis.call('HDEL', RECORD, NAMES[LEFT]) end",
    to: "if true then redis.call('HDEL', RECORD, NAMES[LEFT]) end",
    why: 'takes away what is not there',
  },
  {
    script: 'note',
    from: 'if seen[1] ~= ARGV[1] or tonumber(seen[2]) < tonumber(ARGV[2]) then',
    to: 'if seen[1] ~= ARGV[1] or (tonumber(seen[2])) <= (tonumber(ARGV[2])) then',
    why: 'writes the number that is there already',
  },
  {
    script: 'weather',
    from: 'if left > 0 and left <= lease then',
    to: 'if (left) >= (0) and left <= lease then',
    why: 'one millisecond more by the server’s own clock, which no test can choose',
  },
  {
    script: 'survey',
    from: "if state == 'unconfirmed' and (oldest == '' or tonumber(found[2]) < tonumber(oldest)) then oldest = found[2] end",
    to: "if state == 'unconfirmed' and (oldest == '' or (tonumber(found[2])) <= (tonumber(oldest))) then oldest = found[2] end",
    why: 'of two that began at the same time it is the same time',
  },
  {
    script: 'survey',
    from: "for _, key in ipairs(isFirst and redis.call('ZRANGEBYSCORE', review, '-inf', '+inf', 'LIMIT', 0, ARGV[8]) or {}) do",
    to: "for _, key in ipairs((redis.call('ZRANGEBYSCORE', review, '-inf', '+inf', 'LIMIT', 0, ARGV[8])) or {}) do",
    why: 'takes off the list again what has been taken off it for the first page',
  },
  {
    script: 'withdraw',
    from: "step('accepted', state)",
    to: '',
    why: 'the assertion in the next line allows less',
  },
  {
    script: 'finish',
    from: "if (state == 'approved' or state == 'reversed') and id ~= '' and id == used then redis.call('HSETNX', KEYS[4], account, 'yes') end",
    to: "if (state == 'approved' or state == 'reversed') and id == used then redis.call('HSETNX', KEYS[4], account, 'yes') end",
    why: 'an approval has an id, and so has every reversal that is begun',
  },
  {
    script: 'finish',
    from: 'local isAbsent = isLongSince and absent and lookedAt - absent >= gapMs and isHonoured()',
    to: 'local isAbsent = (absent) and lookedAt - absent >= gapMs and isHonoured()',
    why: '`absent` is noted only when it is long since, and every send takes it back',
  },
  {
    script: 'finish',
    from: "assert(state ~= 'approved' or (isReversal and isAbsent) or (not isReversal and id ~= ''), 'not known to be approved')",
    to: "assert(state ~= 'approved' or ((isAbsent)) or (not isReversal and id ~= ''), 'not known to be approved')",
    why: 'of what is not being reversed an absence has made `not_sent` by then',
  },
  {
    script: 'finish',
    from: "if isAbsent and from == 'unconfirmed' then state = 'not_sent' end",
    to: "if (isAbsent) then state = 'not_sent' end",
    why: 'of a reversal the next line says something else',
  },
]

/** The table of legal steps stands behind comparisons of the state: for the day on which one of those is changed. That the table
 * itself refuses is tested. */
function standsTwice(script: string, from: string, changed: readonly string[]) {
  return changed.map((to) => ({ script, from, to, why: 'the state was compared before: the step is always legal' }))
}
