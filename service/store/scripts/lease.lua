#!lua
-- Take or renew a lease: kept by the holder, free for anybody once it has run out.
-- KEYS lease   ARGV token, milliseconds, whether only to renew ('1')
-- Returns 1 where it is ours still, 2 where it is ours anew, 0 where it is not.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if not holder and ARGV[3] == '1' then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return holder and 1 or 2
