-- A payment that was looked at and is still due (its owner lives, or a step failed) is looked at again later. One that was
-- given a later time of its own meanwhile keeps it, and one without a record is taken off the list.
-- KEYS record, open. ARGV now, ms from now.

local now = clock()
local key = string.match(KEYS[1], '[^:]+$')
local due = tonumber(redis.call('ZSCORE', KEYS[2], key) or '')
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[2], key)
elseif due and due <= now then
  redis.call('ZADD', KEYS[2], now + ARGV[2], key)
end
return now
