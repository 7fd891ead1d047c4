-- A person wants to know now what PayConex says: the payment is due at once, so that a worker asks and writes down what follows.
-- One that is for review is unconfirmed until then, and is for review again when PayConex has no answer; the person brings the
-- credentials, which it has not kept. `due` (also when the same is asked again under the same token), `contradicted` where PayConex has
-- done something else than was asked, so that its yes proves nothing, or `refused` with the record as it is.
-- KEYS book, open, record, honoured. ARGV now, identity, fences, attempt, state and owner as they were seen, token, sealed credentials
-- or '', how often it counts as asked about where it was for review, audit stream, then names and values of its entry.

local now = clock()
local token, credentials = ARGV[7], ARGV[8]
recall()
local state = record[STATE]
if record[ATTEMPT] ~= ARGV[4] then return answer('refused', now) end
if record[HAND] == token then return answer('due', now) end
if state ~= ARGV[5] or record[OWNER] ~= ARGV[6] then return answer('refused', now) end
if state ~= 'unconfirmed' and state ~= 'reversing' and state ~= 'review' then return answer('refused', now) end

local asked = tonumber(record[ASKED]) or 0
if state == 'review' then
  -- Without its id there is nothing to ask by; of a reversal that was refused PayConex would only say that again.
  if credentials == '' or (record[RESERVED] or '') == '' or record[REVERSAL] then return answer('refused', now) end
  local account = record[ACCOUNT] .. '|' .. record[METHOD]
  if redis.call('HGET', KEYS[4], account) == 'no' then return answer('contradicted', now) end
  step('review', 'unconfirmed')
  asked = tonumber(ARGV[9])
end
local to = state == 'review' and 'unconfirmed' or state
audit(ARGV[10], now, to, { unpack(ARGV, 11) })
note(STATE, to)
note(HAND, token)
-- This look counts for nothing, so that those to come are not fewer. However often it is asked for before somebody looks, the
-- schedule does not begin before its first look.
note(ASKED, math.max(-1, asked - 1))
save()
if credentials ~= '' then redis.call('HSET', RECORD, 'credentials', credentials) end
redis.call('ZADD', OPEN, now, KEY)
return answer('due', now)
