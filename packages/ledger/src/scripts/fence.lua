-- Step 9, accepted -> sending: after this PayConex may have it. `fenced`, or `refused` with the record as it is: another
-- attempt, another owner, over, or too late. The same owner may ask again (a lost answer, a send that was delayed).
-- KEYS record, open, lease of the worker. ARGV now, attempt, owner, reserved id, send_by ms, lease ms.

local now = clock()
local attempt, owner, reserved, sendBy, lease = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local record = redis.call('HMGET', KEYS[1], 'state', 'attempt', 'owner', 'reserved')
local mine = record[1] == 'sending' and record[3] == owner and record[4] == reserved

if record[2] ~= attempt then return answer('refused', now) end
if record[1] ~= 'accepted' and not mine then return answer('refused', now) end
if elapsed(now) >= sendBy then return answer('refused', now) end

redis.call('HSET', KEYS[1], 'state', 'sending', 'owner', owner, 'reserved', reserved, 'sent', now)
redis.call('SET', KEYS[3], '1', 'PX', lease)
redis.call('ZADD', KEYS[2], now + lease, string.match(KEYS[1], '[^:]+$'))
return answer('fenced', now)
