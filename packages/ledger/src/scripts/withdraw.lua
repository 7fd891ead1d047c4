-- accepted -> not_sent (nobody will send it any more) or accepted -> declined (PayConex refused before anything could be
-- sent). Races with the fence on the state: exactly one of the two wins. `withdrawn`, or `refused` with the record as it is.
-- KEYS book, open, record. ARGV now, identity, fences, attempt, state, code, message, retention ms, send_by ms or '' (only when
-- that has passed).

local now = clock()
local state = ARGV[5]
recall()
if record[STATE] ~= 'accepted' or record[ATTEMPT] ~= ARGV[4] then return answer('refused', now) end
if ARGV[9] ~= '' and elapsed(now) < tonumber(ARGV[9]) then return answer('refused', now) end

step('accepted', state)
assert(state == 'not_sent' or state == 'declined', 'withdrawing is no way to ' .. state)
note(STATE, state)
note(CODE, ARGV[6])
note(MESSAGE, ARGV[7])
noteToldWhoWait()
close(ARGV[8])
publish(record[WAITING], now)
return answer('withdrawn', now)
