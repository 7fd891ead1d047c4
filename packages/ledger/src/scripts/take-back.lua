-- A person wants a charge undone that nobody can have heard of: it is open once more, due at once, with the credentials that it had
-- given up, and a worker reverses it behind the fence of all reversals (reverse.lua), which compares the same again. `wanted` (also
-- when the same is asked again under the same token), `heard` where somebody may have heard of it, `early` where somebody may still
-- come and hear of it, or `refused` with the record as it is.
-- KEYS book, open, record, late. ARGV now, identity, fences, attempt, state and owner as they were seen, token, sealed credentials, ms
-- in which somebody may still come, audit stream, then names and values of its entry.

local now = clock()
local token, credentials = ARGV[7], ARGV[8]
recall()
if record[ATTEMPT] ~= ARGV[4] then return answer('refused', now) end
if record[WANTED] == token then return answer('wanted', now) end
if record[STATE] ~= ARGV[5] or record[OWNER] ~= ARGV[6] then return answer('refused', now) end
if record[STATE] ~= 'approved' or record[METHOD] ~= 'charge' or credentials == '' then return answer('refused', now) end
-- Also where somebody waited when it was approved: `finish` has noted that.
if record[HEARD] == '1' then return answer('heard', now) end
if now - tonumber(record[FIRST]) < tonumber(ARGV[9]) then return answer('early', now) end

audit(ARGV[10], now, 'reversing', { unpack(ARGV, 11) })
note(WANTED, token)
note(WAITING, '')
-- Written anew with all its fields and no time at which it is forgotten: it is over no longer.
local whole = { 'credentials', credentials }
for field, name in ipairs(NAMES) do
  if record[field] then
    whole[#whole + 1] = name
    whole[#whole + 1] = record[field]
  end
end
redis.call('DEL', RECORD)
redis.call('HSET', RECORD, unpack(whole))
redis.call('ZREM', KEYS[4], KEY)
redis.call('ZADD', OPEN, now, KEY)
return answer('wanted', now)
