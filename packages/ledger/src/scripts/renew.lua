-- A worker shows that it lives. Answers the time, and the number of the last fence.
-- KEYS book, open, lease of the worker. ARGV now, identity, fences, lease ms.

local now = clock()
renew(KEYS[3], now, tonumber(ARGV[4]))
return { tostring(now), fences }
