#!lua
-- Take or renew a lease: kept by the holder, free for anybody once it has run out.
-- KEYS lease   ARGV token, milliseconds
-- Returns 1 where the lease is ours now.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
