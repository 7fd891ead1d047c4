-- The payments that the sweeper should look at now, for the one worker that holds the sweeper's lease; nobody else gets any.
-- KEYS book, open, sweeper's lease. ARGV now, identity, fences, worker, lease ms, limit.

local now = clock()
local leaseMs = tonumber(ARGV[5])
local lease = redis.call('HMGET', KEYS[3], 'worker', 'until')
local left = (tonumber(lease[2]) or now) - now
if lease[1] ~= ARGV[4] and left > 0 and left <= leaseMs then return {} end
redis.call('HSET', KEYS[3], 'worker', ARGV[4], 'until', now + leaseMs)
return redis.call('ZRANGEBYSCORE', OPEN, '-inf', now, 'LIMIT', 0, ARGV[6])
