-- A payment in sending whose owner is silent, or one in unconfirmed, gets a new owner, who may only ask what became of it.
-- `taken`, or `refused` with the record as it is. The reply ends with the sealed credentials.
-- KEYS record, open, lease of the present owner, lease of the new one. ARGV now, present owner, new owner, lease ms,
-- 'forgotten' where the present owner's own worker says that it has forgotten it, else ''.

local now = clock()
local record = redis.call('HMGET', KEYS[1], 'state', 'owner')
local state, owner = record[1], record[2]
local isOpen = state == 'sending' or state == 'unconfirmed'
-- The same new owner may ask again: the answer to its first command may have been lost.
local isMine = owner == ARGV[3]
local isFree = owner == ARGV[2] and (state == 'unconfirmed' or ARGV[5] == 'forgotten' or redis.call('EXISTS', KEYS[3]) == 0)
if not isOpen or not (isMine or isFree) then return answer('refused', now) end

redis.call('HSET', KEYS[1], 'owner', ARGV[3])
redis.call('SET', KEYS[4], '1', 'PX', ARGV[4])
redis.call('ZADD', KEYS[2], now + ARGV[4], string.match(KEYS[1], '[^:]+$'))
local reply = answer('taken', now)
reply[#reply + 1] = redis.call('HGET', KEYS[1], 'credentials') or ''
return reply
