-- accepted -> not_sent (nobody will send it any more) or accepted -> declined (PayConex refused before anything could be
-- sent). Races with the fence on the state: exactly one of the two wins. `withdrawn`, or `refused` with the record as it is.
-- KEYS record, open. ARGV now, attempt, state, code, message, retention ms, send_by ms or '' (only when that has passed).

local now = clock()
local record = redis.call('HMGET', KEYS[1], 'state', 'attempt')
if record[1] ~= 'accepted' or record[2] ~= ARGV[2] then return answer('refused', now) end
if ARGV[7] ~= '' and elapsed(now) < tonumber(ARGV[7]) then return answer('refused', now) end

assert(ARGV[3] == 'not_sent' or ARGV[3] == 'declined', 'an accepted payment cannot become ' .. ARGV[3])
close(ARGV[3], '', ARGV[4], ARGV[5], ARGV[6], '')
return answer('withdrawn', now)
