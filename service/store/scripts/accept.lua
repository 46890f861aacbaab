#!lua
-- Take messages into a partition: remember each id and append to the inbox in one step, so that a repeated post
-- is never in twice and an accepted one is never missing. Refuses the whole call where the inbox is full.
-- KEYS inbox, newest, seen today, seen on the days before (any number)
-- ARGV largest inbox, seconds to remember an id, then triples: digest of source and id, occurred at (s), entry
-- Returns 1 (accepted) or 0 (duplicate) for each, or {-1} where the inbox is full.
local inbox, newest, today = KEYS[1], KEYS[2], KEYS[3]
if redis.call('XLEN', inbox) >= tonumber(ARGV[1]) then return {-1} end
local answer = {}
local latest = tonumber(redis.call('GET', newest) or '0')
local began = latest
for i = 3, #ARGV, 3 do
  local digest, at, entry = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local known = 0
  for k = 4, #KEYS do
    if redis.call('SISMEMBER', KEYS[k], digest) == 1 then known = 1 break end
  end
  if known == 1 or redis.call('SADD', today, digest) == 0 then
    answer[#answer + 1] = 0
  else
    redis.call('XADD', inbox, '*', 'm', entry)
    if at > latest then latest = at end
    answer[#answer + 1] = 1
  end
end
if latest > began then redis.call('SET', newest, string.format('%.3f', latest)) end
redis.call('EXPIRE', today, ARGV[2])
return answer
