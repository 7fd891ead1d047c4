-- approved -> reversing: a charge that nobody can have heard of is undone. Compared in one step with whoever might hear of it:
-- no try waited when it was finished, none has read it since, and nobody will ask again. `reversing` allows its owner to send
-- the reversal; `refused` with the record as it is. The same owner may ask again with the same id (a lost answer).
-- `used`: the id belongs to another payment.
-- KEYS book, open, record, lease of the worker, ids. ARGV now, identity, fences, owner, id of the reversal, reverse after ms, lease
-- ms, retention ms.

local now = clock()
local owner, reversal, leaseMs = ARGV[4], ARGV[5], tonumber(ARGV[7])
recall()
local state = record[STATE]
if state == 'reversing' and record[OWNER] == owner and record[REVERSAL] == reversal then
  own(KEYS[4], now, leaseMs)
  permitSend(now)
  return answer('reversing', now)
end
if state ~= 'approved' or record[METHOD] ~= 'charge' or reversal == '' then return answer('refused', now) end
-- Nobody has heard, and nobody waits. One that was kept is closed: it has no list of those who wait any more, not even an empty one.
if record[HEARD] == '1' or record[WAITING] ~= '' then return answer('refused', now) end
if now - tonumber(record[FIRST]) < tonumber(ARGV[6]) then return answer('refused', now) end

if reversal == record[RESERVED] or isAnothers(KEYS[5], reversal, ARGV[8]) then return answer('used', now) end

step('approved', 'reversing')
note(STATE, 'reversing')
note(OWNER, owner)
note(REVERSAL, reversal)
note(ASKED, 0)
note(REVERSALS, (record[REVERSALS] or 0) + 1)
own(KEYS[4], now, leaseMs)
permitSend(now)
return answer('reversing', now)
