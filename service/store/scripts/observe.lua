#!lua
-- Add observations of indicators to what a partition holds, each once: remembered and counted in one step, so that a
-- repeated post adds nothing and an accepted one is never missing.
-- KEYS span (oldest and newest time, and when one came last that had passed long before), seen today, seen on the days before (any number), guard
-- ARGV prefix, seconds to remember an id, to keep buckets, to keep cells, now (s), the time before which one is late (s),
--      then fives per observation: digest, occurred at (s), bucket, hour, JSON of {tally: {field: amount}, cells: {field: amount}}
-- Returns 1 (accepted) or 0 (duplicate) for each.
local span, today = KEYS[1], KEYS[2]
local prefix, keep_seen, keep_buckets, keep_cells = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local now, late = ARGV[5], tonumber(ARGV[6])
local answer = {}

local function add(key, fields, keep)
  for field, amount in pairs(fields) do
    redis.call('HINCRBYFLOAT', key, field, tostring(amount))
  end
  redis.call('EXPIRE', key, keep)
end

for i = 7, #ARGV, 5 do
  local digest, at, bucket, hour = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2], ARGV[i + 3]
  local known = 0
  for k = 3, #KEYS - 1 do
    if redis.call('SISMEMBER', KEYS[k], digest) == 1 then known = 1 break end
  end
  if known == 1 or redis.call('SADD', today, digest) == 0 then
    answer[#answer + 1] = 0
  else
    local said = cjson.decode(ARGV[i + 4])
    add(prefix .. ':gauges:' .. bucket, said.tally, keep_buckets)
    if next(said.cells) then add(prefix .. ':gaugecells:' .. hour, said.cells, keep_cells) end
    local oldest = redis.call('HGET', span, 'oldest')
    if not oldest or at < tonumber(oldest) then redis.call('HSET', span, 'oldest', ARGV[i + 1]) end
    local newest = redis.call('HGET', span, 'newest')
    if not newest or at > tonumber(newest) then redis.call('HSET', span, 'newest', ARGV[i + 1]) end
    if at < late then redis.call('HSET', span, 'late', now) end
    answer[#answer + 1] = 1
  end
end
redis.call('EXPIRE', today, keep_seen)
return answer
