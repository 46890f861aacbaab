#!lua
-- Write a topic model of a known version anew, and the one before it, where only what they show has changed: both or none.
-- KEYS model
-- ARGV version expected, blob, blob of the model before (empty: leave it)
-- Returns the new version, or -1 where another came before.
if tonumber(redis.call('HGET', KEYS[1], 'version') or '0') ~= tonumber(ARGV[1]) then return -1 end
redis.call('HSET', KEYS[1], 'blob', ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'before', ARGV[3]) end
return redis.call('HINCRBY', KEYS[1], 'version', 1)
