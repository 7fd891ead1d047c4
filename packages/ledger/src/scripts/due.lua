-- The payments that the sweeper should look at now, for the one worker that holds the sweeper's lease; nobody else gets any.
-- KEYS open, sweeper's lease. ARGV now, worker, lease ms, limit.

local now = clock()
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[2] then return {} end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[4])
