-- What every script of the ledger shares; it stands before each of them.
-- KEYS[1] is the book (this ledger's identity, the sequence number of its fences), KEYS[2] `open`: the payments that are not
-- over, scored by the time at which the sweeper should look. KEYS[3] is the record of one payment, where a script has one.
-- ARGV[1] is the time in ms, or '' for this server's clock (a test passes its own); ARGV[2] the identity and ARGV[3] the
-- highest number of a fence that the caller has seen.

local BOOK, OPEN, RECORD = KEYS[1], KEYS[2], KEYS[3]

-- A ledger that is another one, or has gone back to before a fence that somebody saw, would charge again what was charged.
local book = redis.call('HMGET', BOOK, 'identity', 'fences')
if book[1] ~= ARGV[2] or tonumber(book[2]) < tonumber(ARGV[3]) then
  return redis.error_reply('WENTBACK the ledger is another one, or has forgotten fences')
end
local fences = book[2]

-- The fields of a record, and the names under which they lie in Redis: short where they stay when the payment is over, for a name
-- costs as much as a value. The first VIEWED of them are told to whoever asks, in this order (record.ts), the first HEARD_BY to the
-- gateways that wait.
local STATE, ATTEMPT, FINGERPRINT, FIRST, METHOD, ACCOUNT, CUSTOM_ID, AMOUNT, ID, CODE, MESSAGE = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
local SENT, ASKED, OWNER, RESERVED, LEFT, ABSENT, HEARD, REVERSAL, REVERSALS = 12, 13, 14, 15, 16, 17, 18, 19, 20
local SAID, WANTED, WAITING, TOLD, TAKEN, REPEATED, HAND = 21, 22, 23, 24, 25, 26, 27
local NAMES = { 's', 'n', 'f', 't', 'm', 'a', 'c', 'v', 'i', 'e', 'g',
  'sent', 'asked', 'o', 'r', 'left', 'absent', 'h', 'reversal', 'reversals',
  'said', 'wanted', 'waiting', 'd', 'taken', 'repeated', 'hand' }
local VIEWED, HEARD_BY = WANTED, SENT

-- The payment's key, and its record as it was read and noted since: false where a field is not there.
local KEY = RECORD and string.match(RECORD, ':payment:(.*)')
local record, changed = {}, {}

-- Every step that a payment can take. Any other is a bug that would cost somebody money, so it is refused in production, too.
local EDGES = [[
accepted>accepted; accepted>sending; accepted>not_sent; accepted>declined;
sending>sending; sending>approved; sending>declined; sending>unconfirmed; sending>review; sending>not_sent;
unconfirmed>approved; unconfirmed>declined; unconfirmed>unconfirmed; unconfirmed>review; unconfirmed>not_sent;
approved>reversing;
reversing>reversing; reversing>reversed; reversing>review; reversing>approved;
not_sent>accepted;
declined>accepted;
review>unconfirmed; review>approved; review>declined;
]]

local function step(from, to)
  assert(string.find(EDGES, from .. '>' .. to .. ';', 1, true), from .. ' cannot become ' .. to)
end

local function clock()
  if ARGV[1] ~= '' then return tonumber(ARGV[1]) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Of a payment that is over its record says the same in fewer bytes, so that Redis keeps it as one short list (it does so while no
-- value has more than 64 bytes): the state's first letter, and nothing that can be told from the rest. `close` writes it so.
local OVER = { a = 'approved', d = 'declined', n = 'not_sent', r = 'reversed' }

local function recall()
  record = redis.call('HMGET', RECORD, unpack(NAMES))
  local state = OVER[record[STATE]]
  if not state then return end
  if (state == 'approved' or state == 'reversed') and not record[ID] then record[ID] = record[RESERVED] end
  record[STATE] = state
  record[METHOD] = record[METHOD] == 'c' and 'charge' or 'tokenize'
  if record[TOLD] == '=' then record[TOLD] = record[FINGERPRINT] end
end

-- Noted is what `save` or `close` will write.
local function note(field, value)
  record[field] = value
  changed[#changed + 1] = NAMES[field]
  changed[#changed + 1] = value
end

local function save()
  redis.call('HSET', RECORD, unpack(changed))
end

-- { verdict, now, fences, payment key, then the fields of the record }.
local function answer(verdict, now)
  return { verdict, tostring(now), fences, KEY, unpack(record, 1, VIEWED) }
end

-- A clock that went backwards (a failover, a step of the host's clock) makes the time since the first try negative: nobody
-- knows then how late it is, so it counts as too late.
local function elapsed(now)
  local since = now - tonumber(record[FIRST])
  if since < 0 then return math.huge end
  return since
end

-- A lease holds the time at which it runs out. One that runs longer than it can was given before the clock went back.
local function leftOf(lease, now, leaseMs)
  local left = (tonumber(redis.call('GET', lease)) or now) - now
  return left <= leaseMs and left or 0
end

local function renew(lease, now, leaseMs)
  redis.call('SET', lease, now + leaseMs, 'PX', leaseMs)
end

-- The payment is its owner's, whose worker shows with it that it lives; the sweeper looks again when that can have lapsed. A worker
-- renews its lease by itself every second, so mostly that has been shown.
local function own(lease, now, leaseMs)
  if leftOf(lease, now, leaseMs) < leaseMs / 2 then renew(lease, now, leaseMs) end
  redis.call('ZADD', OPEN, now + leaseMs, KEY)
end

-- An id of PayConex names one payment: if PayConex gave it to two, the second could hear of the first one's charge. Kept at least as
-- long as a payment is remembered. PayConex counts up, so ids that begin alike lie together, up to a hundred in one short list.
-- `ids` begins the keys of all of them; they carry the shard's hash tag, so they are where this record is.
local function isAnothers(ids, id, retention)
  local me = string.sub(KEY, 3, 14) .. '.' .. record[ATTEMPT]
  local bucket, name = ids .. record[ACCOUNT] .. '|' .. string.sub(id, 1, -3), string.sub(id, -2)
  if redis.call('HSETNX', bucket, name, me) == 0 then return redis.call('HGET', bucket, name) ~= me end
  redis.call('PEXPIRE', bucket, retention)
  return false
end

-- Something may be sent from now on. The number of such permissions only grows: whoever saw a higher one knows a ledger that
-- was set back.
local function permitSend(now)
  note(SENT, now)
  note(ABSENT, '')
  save()
  fences = redis.call('HINCRBY', BOOK, 'fences', 1)
end

-- A caller may have been told that nothing was charged. The same request does not begin anew then, however late a try of it comes:
-- it hears the same. `told` lists the fingerprints.
local function noteTold(fingerprint)
  local told = record[TOLD] or ''
  note(TOLD, told == '' and fingerprint or told .. ' ' .. fingerprint)
end

local function noteToldWhoWait()
  if record[WAITING] ~= '' then noteTold(record[FINGERPRINT]) end
end

-- Tells every gateway with a try that waits. `waiting` lists the tries, `<gateway>:<seat>`.
local function publish(waiting, now)
  local told, done = nil, {}
  for gateway in string.gmatch(waiting, '(%S+):%S+') do
    told = told or cjson.encode({ 'told', tostring(now), fences, KEY, unpack(record, 1, HEARD_BY) })
    if not done[gateway] then redis.call('PUBLISH', 'reply:' .. gateway, told) end
    done[gateway] = true
  end
end

-- Of the owner what is enough to know him again, should he say the same once more.
local function tail(owner)
  return string.sub(owner, -8)
end

-- What a person did, written before it is done: a change that nobody could account for is not made. `stream` is no key of the call,
-- because whoever adds to it may do little else with it (deploy/redis). It lies where this record is.
local function audit(stream, now, to, entry)
  redis.call('XADD', stream, '*', 'at', now, 'payment', KEY, 'attempt', record[ATTEMPT], 'from', record[STATE], 'to', to, unpack(entry))
end

local LASTING = { ATTEMPT, FINGERPRINT, FIRST, ACCOUNT, CUSTOM_ID, AMOUNT, CODE, MESSAGE, RESERVED, HEARD, REVERSAL, REVERSALS }

-- Nothing is left to do by itself. The record is written anew with what is still asked for: a replay, an operator, the owner who
-- says it again. The sealed credentials stay only as long as a payment is open, so that the keys in use are those of the open ones.
-- It is forgotten in time; one that a person must look at never is, and says all that is known.
local function close(retention)
  redis.call('ZREM', OPEN, KEY)
  local state = record[STATE]
  if state == 'review' then
    save()
    redis.call('HDEL', RECORD, 'credentials')
    return
  end
  local kept = {}
  local function keep(field, value)
    if not value or value == '' then return end
    kept[#kept + 1] = NAMES[field]
    kept[#kept + 1] = value
  end
  keep(STATE, string.sub(state, 1, 1))
  keep(METHOD, string.sub(record[METHOD], 1, 1))
  local isUnder = (state == 'approved' or state == 'reversed') and record[ID] == record[RESERVED]
  keep(ID, not isUnder and record[ID])
  keep(TOLD, record[TOLD] == record[FINGERPRINT] and '=' or record[TOLD])
  keep(OWNER, record[OWNER] and tail(record[OWNER]))
  -- Whether PayConex refused the payment, or the account before anything was sent.
  keep(SENT, state == 'declined' and record[SENT])
  for _, field in ipairs(LASTING) do keep(field, record[field]) end
  redis.call('DEL', RECORD)
  redis.call('HSET', RECORD, unpack(kept))
  redis.call('PEXPIRE', RECORD, retention)
end
