-- How things stand in this shard, for the one worker that holds the sweeper's lease; nobody else is told anything. Of the open
-- payments one page is looked at, so that no call takes long: whoever asks puts the pages together. What a person has decided
-- meanwhile goes off the list of those in review. Of each key it is noted when this ledger first heard of it.
-- KEYS book, open, sweeper's lease, review, late, keys, beginning of all records' keys. ARGV now, identity, fences, worker, lease
-- ms, retention ms, first of the page, how many, the ids of the keys in use.

local now = clock()
local leaseMs = tonumber(ARGV[5])
local lease = redis.call('HMGET', KEYS[3], 'worker', 'until')
local left = (tonumber(lease[2]) or now) - now
if lease[1] ~= ARGV[4] or left <= 0 or left > leaseMs then return {} end

local review, late, keys, records = KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local counts, oldest = {}, ''
for _, key in ipairs(redis.call('ZRANGEBYSCORE', OPEN, '-inf', '+inf', 'LIMIT', ARGV[7], ARGV[8])) do
  local found = redis.call('HMGET', records .. key, NAMES[STATE], NAMES[FIRST])
  local state = found[1]
  if state then counts[state] = (counts[state] or 0) + 1 end
  if state == 'unconfirmed' and (oldest == '' or tonumber(found[2]) < tonumber(oldest)) then oldest = found[2] end
end

local isFirst = tonumber(ARGV[7]) == 0
for _, key in ipairs(isFirst and redis.call('ZRANGEBYSCORE', review, '-inf', '+inf', 'LIMIT', 0, ARGV[8]) or {}) do
  if redis.call('HGET', records .. key, NAMES[STATE]) ~= 'review' then redis.call('ZREM', review, key) end
end

local since = {}
for nth = 9, #ARGV do
  redis.call('HSETNX', keys, ARGV[nth], now)
  since[#since + 1] = redis.call('HGET', keys, ARGV[nth])
end

-- What is due and was not looked at for as long as a lease lives.
local overdue = redis.call('ZCOUNT', OPEN, '-inf', now - leaseMs)
local kept = redis.call('ZCOUNT', late, now - tonumber(ARGV[6]), '+inf')
return { tostring(now), redis.call('ZCARD', OPEN), overdue, redis.call('ZCARD', review), kept, oldest,
  cjson.encode(counts), unpack(since) }
