-- Opens this ledger's book, or begins it: who it is, by which rules its keys were made, how many fences it has seen. Stands alone,
-- without common.lua: nobody knows yet which ledger this is.
-- KEYS book. ARGV a new identity, the check value. Answers identity, check value, fences.

if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'identity', ARGV[1], 'check', ARGV[2], 'fences', 0)
end
return redis.call('HMGET', KEYS[1], 'identity', 'check', 'fences')
