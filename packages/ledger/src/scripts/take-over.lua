-- A payment in sending or reversing whose owner is silent, or one that has none (unconfirmed, or approved and left open), gets
-- a new owner, who asks first what became of it. `taken`, or `refused` with the record as it is. The reply ends with the sealed
-- credentials.
-- KEYS book, open, record, lease of the present owner, lease of the new one. ARGV now, identity, fences, present owner, new
-- owner, lease ms, 'forgotten' where the present owner's own worker says that it has forgotten it, else ''.

local now = clock()
local present, new, leaseMs = ARGV[4], ARGV[5], tonumber(ARGV[6])
recall()
local state, owner = record[STATE], record[OWNER]
local isAtRest = state == 'unconfirmed' or (state == 'approved' and redis.call('ZSCORE', OPEN, KEY))
local isOpen = state == 'sending' or state == 'reversing' or isAtRest
-- The same new owner may ask again: the answer to its first command may have been lost.
local isMine = owner == new
local isFree = owner == present and (isAtRest or ARGV[7] == 'forgotten' or leftOf(KEYS[4], now, leaseMs) <= 0)
if not isOpen or not (isMine or isFree) then return answer('refused', now) end

note(TAKEN, '1')
note(OWNER, new)
save()
own(KEYS[5], now, leaseMs)
local reply = answer('taken', now)
reply[#reply + 1] = redis.call('HGET', RECORD, 'credentials') or ''
return reply
