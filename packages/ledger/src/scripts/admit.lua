-- Step 4, a try arrives: `new` (recorded, send it), `join` (it is under way), `replay` (it is over, here is the outcome) or
-- `reused` (this id belongs to another request).
-- KEYS record, open. ARGV now, fingerprint, gateway, method, account, custom_id, amount, sealed credentials, send_by ms.

local now = clock()
local fingerprint, gateway, sendBy = ARGV[2], ARGV[3], tonumber(ARGV[9])
local record = redis.call('HMGET', KEYS[1], 'state', 'fingerprint', 'attempt', 'waiting')
local state, same = record[1], record[2] == fingerprint

local function begin(attempt)
  -- Gateways that hold a try of an attempt that ran out, and have not noticed yet, wait for this one.
  local waiting = state == 'accepted' and record[4] .. ' ' .. gateway or gateway
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'state', 'accepted', 'attempt', attempt, 'fingerprint', fingerprint, 'first', now,
    'method', ARGV[4], 'account', ARGV[5], 'custom_id', ARGV[6], 'amount', ARGV[7], 'credentials', ARGV[8], 'waiting', waiting)
  redis.call('ZADD', KEYS[2], now + sendBy, string.match(KEYS[1], '[^:]+$'))
  return answer('new', now)
end

local function wait()
  local waiting = record[4] or ''
  if not string.find(' ' .. waiting .. ' ', ' ' .. gateway .. ' ', 1, true) then
    redis.call('HSET', KEYS[1], 'waiting', waiting == '' and gateway or waiting .. ' ' .. gateway)
  end
  return answer('join', now)
end

if not state then return begin(1) end

-- Nothing of the earlier attempt left the house or ever will: its job is refused at the fence, which compares the attempt.
if state == 'not_sent' then return begin(record[3] + 1) end
if state == 'accepted' and same and elapsed(now) >= sendBy then return begin(record[3] + 1) end
-- PayConex said no to the earlier attempt, for good: another card is a new attempt, the same one gets the same answer.
if state == 'declined' and not same then return begin(record[3] + 1) end

if not same then return answer('reused', now) end
if state == 'accepted' or state == 'sending' then return wait() end
return answer('replay', now)
