-- An approved payment that was left open, because nobody had heard of it yet, is kept: it is closed like any other. One that still
-- nobody can have heard of is put on the list of late approvals. `kept`, or `refused` with the record as it is.
-- KEYS book, open, record, late. ARGV now, identity, fences, retention ms.

local now = clock()
recall()
if record[STATE] ~= 'approved' then return answer('refused', now) end

local late, retention = KEYS[4], tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', late, '-inf', now - retention)
if record[HEARD] ~= '1' then redis.call('ZADD', late, now, KEY) end
close(retention)
return answer('kept', now)
