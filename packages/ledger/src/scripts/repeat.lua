-- Step 11, once more under the same reserved id: PayConex refuses it if it has the first. `permitted`, or `refused` with the
-- record as it is: no longer the owner's, no id, not proven that PayConex honours ids for this account, too soon or too late.
-- KEYS book, open, record, lease of the worker, honoured. ARGV now, identity, fences, attempt, owner, repeat after ms, repeat by
-- ms, lease ms.

local now = clock()
recall()
local owner, reserved = record[OWNER], record[RESERVED]
if record[STATE] ~= 'sending' or record[ATTEMPT] ~= ARGV[4] or owner ~= ARGV[5] then return answer('refused', now) end
if not reserved or reserved == '' then return answer('refused', now) end
local honoured = redis.call('HGET', KEYS[5], record[ACCOUNT] .. '|' .. record[METHOD])
if honoured ~= 'yes' then return answer('refused', now) end
if now - tonumber(record[SENT]) < tonumber(ARGV[6]) then return answer('refused', now) end
if elapsed(now) >= tonumber(ARGV[7]) then return answer('refused', now) end

note(REPEATED, '1')
own(KEYS[4], now, tonumber(ARGV[8]))
permitSend(now)
return answer('permitted', now)
