#!lua
-- Put down how many orders of one kind were shipped on a day, in the place of what was said before, and keep the sums by
-- attribute value in step: one script, so that the same post sent again, or a corrected one, never counts twice.
-- KEYS breakdowns, then twos per post: posts of the day, sums of the day
-- ARGV seconds to keep, then fours per post: names of its attributes, its field, orders, JSON list of the sums' fields
-- Returns 1 (new), 2 (corrected) or 0 (as before) for each.
local keep, answer = ARGV[1], {}
for i = 2, #ARGV, 4 do
  local place = 2 * (i - 2) / 4 + 2
  local posts, sums, orders = KEYS[place], KEYS[place + 1], tonumber(ARGV[i + 2])
  redis.call('SADD', KEYS[1], ARGV[i])
  local before = redis.call('HGET', posts, ARGV[i + 1])
  local more = orders - (tonumber(before) or 0)
  if before and more == 0 then
    answer[#answer + 1] = 0
  else
    redis.call('HSET', posts, ARGV[i + 1], ARGV[i + 2])
    for _, field in ipairs(cjson.decode(ARGV[i + 3])) do
      redis.call('HINCRBYFLOAT', sums, field, string.format('%.0f', more))
    end
    answer[#answer + 1] = before and 2 or 1
  end
  redis.call('EXPIRE', posts, keep)
  redis.call('EXPIRE', sums, keep)
end
redis.call('EXPIRE', KEYS[1], keep)
return answer
