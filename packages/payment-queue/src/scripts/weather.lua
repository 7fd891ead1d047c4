-- Somebody says how he is, and hears how everybody is: { number of waiting jobs, the reports that still count }. Each report
-- counts for a while by this server's clock; one that seems to count for longer was written before that clock went back.
-- KEYS reports, waiting jobs. ARGV who, his report ('' takes it back), for how many ms it counts.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[3])

if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s', now + lease, ARGV[2]))
  redis.call('PEXPIRE', KEYS[1], lease)
end

local reports = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local expires, report = string.match(all[i + 1], '^(%d+) (.*)$')
  local left = (tonumber(expires) or 0) - now
  if left > 0 and left <= lease then
    reports[#reports + 1] = report
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return { redis.call('LLEN', KEYS[2]), reports }
