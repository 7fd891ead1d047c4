-- A payment that was looked at and is still due (its owner lives, or a step failed) is looked at again later. One that was
-- given a later time of its own meanwhile keeps it, and one without a record is taken off the list.
-- KEYS book, open, record. ARGV now, identity, fences, ms from now.

local now = clock()
local due = tonumber(redis.call('ZSCORE', OPEN, KEY))
if redis.call('EXISTS', RECORD) == 0 then
  redis.call('ZREM', OPEN, KEY)
elseif due and due <= now then
  redis.call('ZADD', OPEN, now + ARGV[4], KEY)
end
return now
