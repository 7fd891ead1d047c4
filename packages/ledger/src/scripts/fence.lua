-- Step 9, accepted -> sending: after this PayConex may have it. `fenced`, or `refused` with the record as it is: another
-- attempt, another owner, over, or too late. The same owner may ask again (a lost answer, a send that was delayed). `used`: the
-- reserved id belongs to another payment, get another one. `abandoned`: nobody has waited for it for so long, so nobody will.
-- KEYS book, open, record, lease of the worker, ids. ARGV now, identity, fences, attempt, owner, reserved id or '', send_by ms,
-- lease ms, retention ms, abandoned ms.

local now = clock()
local attempt, owner, reserved, sendBy = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
recall()
local state, left = record[STATE], tonumber(record[LEFT])
local mine = state == 'sending' and record[OWNER] == owner and record[RESERVED] == reserved

if record[ATTEMPT] ~= attempt then return answer('refused', now) end
if state ~= 'accepted' and not mine then return answer('refused', now) end
if elapsed(now) >= sendBy then return answer('refused', now) end
if left and state == 'accepted' and now - left >= tonumber(ARGV[10]) then return answer('abandoned', now) end

if reserved ~= '' and isAnothers(KEYS[5], reserved, ARGV[9]) then return answer('used', now) end

step(state, 'sending')
note(STATE, 'sending')
note(OWNER, owner)
note(RESERVED, reserved)
own(KEYS[4], now, tonumber(ARGV[8]))
permitSend(now)
return answer('fenced', now)
