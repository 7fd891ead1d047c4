-- The record as it stands.
-- KEYS book, open, record. ARGV now, identity, fences.

recall()
return answer('found', clock())
