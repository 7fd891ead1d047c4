-- Step 12, sending or unconfirmed -> an outcome, by its owner only: a worker that lost its token writes nothing. `finished`
-- (also when the same owner says the same again), or `refused` with the record as it is.
-- KEYS record, open. ARGV now, attempt, owner, state, id, code, message, retention ms, due ms from now or '', how often
-- it was asked about by then or ''.

local now = clock()
local attempt, owner, state = ARGV[2], ARGV[3], ARGV[4]
local record = redis.call('HMGET', KEYS[1], 'state', 'attempt', 'owner')

if record[2] ~= attempt or record[3] ~= owner then return answer('refused', now) end
if record[1] == state and ARGV[9] == '' then return answer('finished', now) end
if record[1] ~= 'sending' and record[1] ~= 'unconfirmed' then return answer('refused', now) end

local legal = { approved = true, declined = true, unconfirmed = true, review = true, not_sent = record[1] == 'sending' }
assert(legal[state], record[1] .. ' cannot become ' .. state)
assert(state ~= 'approved' or ARGV[5] ~= '', 'approved without an id of PayConex')
if ARGV[10] ~= '' then redis.call('HSET', KEYS[1], 'asked', ARGV[10]) end
close(state, ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9] ~= '' and now + ARGV[9] or '')
return answer('finished', now)
