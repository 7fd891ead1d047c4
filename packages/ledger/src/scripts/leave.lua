-- A try is held no longer: its caller hung up, or is told `unconfirmed`. Whoever finishes the payment later knows that this one
-- cannot hear of it. `left`, with the record as it is. What the record says is the last that this try hears: an approval
-- counts as heard.
-- KEYS book, open, record. ARGV now, identity, fences, the try's seat.

local now = clock()
recall()

-- Where the payment is over nobody waits any more.
local waiting, kept = record[WAITING] or '', {}
for seat in string.gmatch(waiting, '%S+') do
  if seat ~= ARGV[4] then kept[#kept + 1] = seat end
end
local others = table.concat(kept, ' ')
if others ~= waiting then
  note(WAITING, others)
  if others == '' then note(LEFT, now) end
end
if record[STATE] == 'approved' then note(HEARD, '1') end
if #changed > 0 then save() end
return answer('left', now)
