#!lua
-- Turn one notification to everybody into one to each receiver that wants it, and remember who is told of the alert:
-- in one step, so that a delivery killed here loses nobody and tells nobody twice.
-- KEYS outbox, bodies, receivers told of the alert
-- ARGV id, seconds to remember who was told, then fours: id, due (s), body, receiver
-- Returns 1, or 0 where somebody else did it.
if redis.call('HDEL', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
for i = 3, #ARGV, 4 do
  if redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 2]) == 1 then redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i]) end
  redis.call('SADD', KEYS[3], ARGV[i + 3])
end
if #ARGV > 2 then redis.call('EXPIRE', KEYS[3], ARGV[2]) end
return 1
