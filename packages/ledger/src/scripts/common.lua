-- What every script of the ledger shares. A record is a hash; `open` is a sorted set of the payments that are not over,
-- scored by the time at which the sweeper should look. KEYS[1] is the record, KEYS[2] is `open`, where a script has them.
-- ARGV[1] is the time in ms, or '' for this server's clock (a test passes its own).

local VIEW = { 'state', 'attempt', 'fingerprint', 'first', 'sent', 'asked', 'method', 'account', 'custom_id', 'amount',
  'owner', 'reserved', 'id', 'code', 'message' }

local function clock()
  if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- { verdict, now, payment key, then the fields of VIEW }: absent fields are ''.
local function answer(verdict, now)
  local reply = { verdict, tostring(now), string.match(KEYS[1], '[^:]+$') }
  for _, value in ipairs(redis.call('HMGET', KEYS[1], unpack(VIEW))) do
    reply[#reply + 1] = value or ''
  end
  return reply
end

-- A clock that went backwards (a failover, a step of the host's clock) makes the time since the first try negative: nobody
-- knows then how late it is, so it counts as too late.
local function elapsed(now)
  local since = now - tonumber(redis.call('HGET', KEYS[1], 'first'))
  if since < 0 then return math.huge end
  return since
end

-- The outcome stands: the books are closed in one step with telling those who wait. Sealed credentials stay only as long
-- as the payment is open; a final record expires, one that a person or the sweeper must still look at never does.
local function close(state, id, code, message, retention, due)
  redis.call('HSET', KEYS[1], 'state', state, 'id', id, 'code', code, 'message', message)
  if due ~= '' then
    redis.call('ZADD', KEYS[2], due, string.match(KEYS[1], '[^:]+$'))
  else
    redis.call('ZREM', KEYS[2], string.match(KEYS[1], '[^:]+$'))
  end
  if due == '' and state ~= 'review' then
    redis.call('HDEL', KEYS[1], 'credentials')
    redis.call('PEXPIRE', KEYS[1], retention)
  end
  local told = cjson.encode(answer('told', clock()))
  for gateway in string.gmatch(redis.call('HGET', KEYS[1], 'waiting') or '', '%S+') do
    redis.call('PUBLISH', 'reply:' .. gateway, told)
  end
end
