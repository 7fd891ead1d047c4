-- Step 4, a try arrives: `new` (recorded, send it), `join` (it is under way), `replay` (it is over, here is the outcome) or
-- `reused` (this id belongs to another request). Of `new` only the attempt is told: the caller knows the rest.
-- KEYS book, open, record. ARGV now, identity, fences, fingerprint, the try's seat, method, account, custom_id, amount, sealed
-- credentials, send_by ms.

local now = clock()
local fingerprint, seat, sendBy = ARGV[4], ARGV[5], tonumber(ARGV[11])
recall()
local state, same, told = record[STATE], record[FINGERPRINT] == fingerprint, record[TOLD] or ''
local isTold = told ~= '' and string.find(' ' .. told .. ' ', ' ' .. fingerprint .. ' ', 1, true)

local function begin(attempt)
  if state then
    step(state, 'accepted')
    redis.call('DEL', RECORD)
  end
  -- Tries of this request's attempt that ran out, which have not noticed yet, follow this one: it is them who may hear of it, too.
  local others = state == 'accepted' and record[WAITING] or ''
  local waiting = others == '' and seat or others .. ' ' .. seat
  redis.call('HSET', RECORD, NAMES[STATE], 'accepted', NAMES[ATTEMPT], attempt, NAMES[FINGERPRINT], fingerprint,
    NAMES[FIRST], now, NAMES[METHOD], ARGV[6], NAMES[ACCOUNT], ARGV[7], NAMES[CUSTOM_ID], ARGV[8], NAMES[AMOUNT], ARGV[9],
    NAMES[WAITING], waiting, NAMES[TOLD], told, 'credentials', ARGV[10])
  redis.call('ZADD', OPEN, now + sendBy, KEY)
  return { 'new', tostring(now), fences, KEY, attempt }
end

local function wait()
  local waiting = record[WAITING]
  if not string.find(' ' .. waiting .. ' ', ' ' .. seat .. ' ', 1, true) then
    note(WAITING, waiting == '' and seat or waiting .. ' ' .. seat)
    save()
  end
  if record[LEFT] then redis.call('HDEL', RECORD, NAMES[LEFT]) end
  record[LEFT] = false
  return answer('join', now)
end

if not state then return begin(1) end
-- This request has been answered: nothing was charged. It may be a try that was long under way, whose caller is gone.
if isTold and (state == 'not_sent' or state == 'declined') then return answer('replay', now) end
-- Nothing of the earlier attempt left the house or ever will: its job is refused at the fence, which compares the attempt.
if state == 'not_sent' then return begin(record[ATTEMPT] + 1) end
if state == 'accepted' and same and elapsed(now) >= sendBy then return begin(record[ATTEMPT] + 1) end
-- PayConex said no to the earlier attempt, for good: another card is a new attempt, the same one gets the same answer.
if state == 'declined' and not same then return begin(record[ATTEMPT] + 1) end
if not same then return answer('reused', now) end
if state == 'accepted' or state == 'sending' or state == 'reversing' then return wait() end
-- From here on somebody may have heard of it: it cannot be undone behind their back any more.
if state == 'approved' then note(HEARD, '1') end
if state == 'declined' then noteTold(fingerprint) end
if #changed > 0 then save() end
return answer('replay', now)
