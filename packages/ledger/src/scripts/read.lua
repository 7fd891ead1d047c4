-- The record as it stands: `found` or `none`.
-- KEYS record. ARGV now.

return answer(redis.call('EXISTS', KEYS[1]) == 1 and 'found' or 'none', clock())
