-- What was seen of a ledger, kept on the queue's server. A lower number never replaces a higher one of the same ledger. Stands alone,
-- without common.lua: this is not the ledger.
-- KEYS what was seen. ARGV the identity, the highest number of a fence. Answers the highest number that anybody has seen.

local seen = redis.call('HMGET', KEYS[1], 'identity', 'fences')
if seen[1] ~= ARGV[1] or tonumber(seen[2]) < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1], 'identity', ARGV[1], 'fences', ARGV[2])
end
return redis.call('HGET', KEYS[1], 'fences')
