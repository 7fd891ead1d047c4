-- Step 12, what came of it, by the owner only: a worker that lost its token writes nothing. `finished` (also when the same
-- owner says the same again), or `refused` with the record as it is.
--
-- An open payment that PayConex twice, apart, did not know, when it had had all the time it needs, never came: instead of the state
-- that the owner says it becomes `not_sent`, and a reversal that never came leaves the payment `approved`.
--
-- KEYS book, open, record, honoured, review. ARGV now, identity, fences, attempt, owner, state, id, code, message, retention ms, due ms
-- from now or '', how often it was asked about by then or '', 'absent' | 'contradiction' | '', when the look-up that says so was
-- begun or '', absence ms, gap between two look-ups ms, ms in which somebody may still come and hear of it, most reversals, what
-- PayConex said to it or ''.

local now = clock()
local attempt, owner, state, id, remark = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[13]
local absenceMs, gapMs = tonumber(ARGV[15]), tonumber(ARGV[16])
recall()
local from, sent, absent, waiting = record[STATE], tonumber(record[SENT]), tonumber(record[ABSENT]), record[WAITING]
-- Nobody can wait for one that is over, and of its owner it has kept the tail.
local known = waiting and owner or tail(owner)

if record[ATTEMPT] ~= attempt or record[OWNER] ~= known then return answer('refused', now) end
if from == state and ARGV[11] == '' then return answer('finished', now) end
if from ~= 'sending' and from ~= 'unconfirmed' and from ~= 'reversing' then
  -- Of an absence the owner does not say what follows: this one has been concluded from it.
  return answer(remark == 'absent' and 'finished' or 'refused', now)
end

-- The id under which it was sent last, and whether PayConex has been seen to honour such an id. One that ignores them would not
-- find what it has charged.
local isReversal = from == 'reversing'
local used = record[isReversal and REVERSAL or RESERVED] or ''
local account = record[ACCOUNT] .. '|' .. (isReversal and 'reversal' or record[METHOD])
local function isHonoured() return used ~= '' and redis.call('HGET', KEYS[4], account) == 'yes' end

-- When it was asked counts, not when that is written down. A time to come is one of a clock that went back since: it says nothing,
-- and would be another one each time that it is said.
local lookedAt = remark == 'absent' and tonumber(ARGV[14]) or 0
if lookedAt > now then lookedAt = 0 end
local isLongSince = from ~= 'sending' and lookedAt - sent >= absenceMs
local isAbsent = isLongSince and absent and lookedAt - absent >= gapMs and isHonoured()
if isAbsent and from == 'unconfirmed' then state = 'not_sent' end
if isAbsent and isReversal then state = tonumber(record[REVERSALS]) < tonumber(ARGV[18]) and 'approved' or 'review' end
local isOpen = state == 'unconfirmed' or state == 'reversing'

step(from, state)
-- Nothing was sent: the one owner it ever had says so, and never sent again.
local isFirstSend = from == 'sending' and not record[TAKEN] and not record[REPEATED]
assert(state ~= 'not_sent' or isAbsent or isFirstSend, 'it may have been sent')
assert(state ~= 'approved' or (isReversal and isAbsent) or (not isReversal and id ~= ''), 'not known to be approved')
assert(not isOpen or ARGV[11] ~= '', 'nobody would look at it again')

note(STATE, state)
if not isReversal then
  note(ID, id)
  note(CODE, ARGV[8])
  note(MESSAGE, ARGV[9])
end
if ARGV[12] ~= '' then note(ASKED, ARGV[12]) end
if ARGV[19] ~= '' then note(SAID, now .. ' ' .. ARGV[19]) end
-- A reversal that is asked about again later is nobody's until then.
if state == 'reversing' then note(OWNER, '') end

-- PayConex gave the transaction the id that was reserved for it, or did something else than was asked.
if (state == 'approved' or state == 'reversed') and id ~= '' and id == used then redis.call('HSETNX', KEYS[4], account, 'yes') end
if remark == 'contradiction' then redis.call('HSET', KEYS[4], account, 'no') end

if state == 'approved' and waiting ~= '' then note(HEARD, '1') end
-- A charge that nobody has heard of stays open until nobody can any more; then it is reversed, or put on the list.
local isUnheard = state == 'approved' and record[METHOD] == 'charge' and record[HEARD] ~= '1'

local function due()
  if isUnheard then return tonumber(record[FIRST]) + tonumber(ARGV[17]) end
  if not isOpen then return nil end
  local at = now + ARGV[11]
  -- The first look-up that can prove its absence comes as soon as it can, and so does the second.
  if isLongSince and (not absent or absent == lookedAt) then
    note(ABSENT, lookedAt)
    return lookedAt + gapMs
  end
  local sinceSent = now - sent
  return sinceSent < absenceMs and math.min(at, now + absenceMs - sinceSent) or at
end

if state == 'declined' or state == 'not_sent' then noteToldWhoWait() end
local at = due()
if at then
  save()
  redis.call('ZADD', OPEN, at, KEY)
else
  -- It is on no other list any more, and somebody must know that it is there.
  if state == 'review' then redis.call('ZADD', KEYS[5], now, KEY) end
  close(ARGV[10])
end
publish(waiting, now)
return answer('finished', now)
