-- A worker that is asked to end leaves a payment that it is only asking about to whoever looks next: it has no owner any
-- more and is due at once. `released`, or `refused` when it was not its own.
-- KEYS record, open. ARGV now, owner.

local now = clock()
local record = redis.call('HMGET', KEYS[1], 'state', 'owner')
if record[1] ~= 'sending' or record[2] ~= ARGV[2] then return answer('refused', now) end

redis.call('HSET', KEYS[1], 'owner', '')
redis.call('ZADD', KEYS[2], now, string.match(KEYS[1], '[^:]+$'))
return answer('released', now)
