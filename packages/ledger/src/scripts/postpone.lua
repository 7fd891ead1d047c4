-- A payment that is still being looked after by a living owner is looked at again later.
-- KEYS record, open. ARGV now, ms from now.

local now = clock()
local key = string.match(KEYS[1], '[^:]+$')
if redis.call('ZSCORE', KEYS[2], key) then redis.call('ZADD', KEYS[2], now + ARGV[2], key) end
return now
