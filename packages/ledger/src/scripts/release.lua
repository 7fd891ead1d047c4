-- A worker that is asked to end leaves a payment that it is only asking about to whoever looks next: it has no owner any
-- more and is due at once. `released`, or `refused` when it was not its own.
-- KEYS book, open, record. ARGV now, identity, fences, owner.

local now = clock()
recall()
local state = record[STATE]
if (state ~= 'sending' and state ~= 'reversing') or record[OWNER] ~= ARGV[4] then return answer('refused', now) end

note(OWNER, '')
save()
redis.call('ZADD', OPEN, now, KEY)
return answer('released', now)
