-- A person has looked into PayConex' own books and says what became of a payment that nobody else knows: unconfirmed or review ->
-- approved or declined. Compared with what the person saw of it: the attempt, the state, the owner. `resolved` (also when the same is
-- said again under the same token), `early` where PayConex may still be at work on what is said not to have been charged, `used`
-- where the id belongs to another payment or to this one's reversal, or `refused` with the record as it is.
-- KEYS book, open, record, ids. ARGV now, identity, fences, attempt, state and owner as they were seen, token, the new state, id,
-- code, message, retention ms, absence ms, audit stream, then names and values of its entry.

local now = clock()
local owner, token, state, id = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
recall()
local from, waiting = record[STATE], record[WAITING]
if record[ATTEMPT] ~= ARGV[4] then return answer('refused', now) end
if from == state and record[OWNER] == tail(token) then return answer('resolved', now) end
if from ~= ARGV[5] or record[OWNER] ~= owner then return answer('refused', now) end
if from ~= 'unconfirmed' and from ~= 'review' then return answer('refused', now) end
if state == 'declined' and now - tonumber(record[SENT]) < tonumber(ARGV[13]) then return answer('early', now) end
-- The id of its reversal is another transaction's, too.
if state == 'approved' and (id == record[REVERSAL] or isAnothers(KEYS[4], id, ARGV[12])) then return answer('used', now) end

step(from, state)
assert(state == 'approved' or state == 'declined', 'a person says yes or no')
assert(state ~= 'approved' or id ~= '', 'not known to be approved')
audit(ARGV[14], now, state, { unpack(ARGV, 15) })
note(STATE, state)
note(OWNER, token)
note(ID, id)
note(CODE, ARGV[10])
note(MESSAGE, ARGV[11])
-- A person has heard of it, so that it is not undone behind their back.
if state == 'approved' then note(HEARD, '1') end
if state == 'declined' then noteToldWhoWait() end
close(ARGV[12])
publish(waiting, now)
return answer('resolved', now)
