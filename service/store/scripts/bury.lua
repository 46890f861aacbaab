#!lua
-- Put a message aside that could not be worked on: acknowledged, out of the inbox and in the dead stream at once.
-- KEYS inbox, dead   ARGV group, entry id, entry, reason, most dead entries
-- Returns 1, or 0 where somebody else dealt with it.
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'm', ARGV[3], 'reason', ARGV[4])
return 1
