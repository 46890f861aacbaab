#!lua
-- Count under one topic what was counted under another: its counts and cells by the day, whom it counted already, and
-- its samples. What is still on its way goes there too, by the heirs. Every step adds here what it takes there, so the
-- sum is the same at any moment, and doing it again does nothing more.
-- KEYS heirs, guard
-- ARGV prefix, topic that is no more, its heir, first hour, hour after the last, samples a topic
-- Returns how many messages went over.
local prefix, gone, into = ARGV[1], ARGV[2], ARGV[3]
local first, last = tonumber(ARGV[4]), tonumber(ARGV[5]) - 1
local moved = 0
redis.call('HSET', KEYS[1], gone, into)

local function over(key, from, to)
  local n = tonumber(redis.call('HGET', key, from) or '0')
  if n ~= 0 then redis.call('HINCRBY', key, to, n) end
  redis.call('HDEL', key, from)
  return n
end

local function fields_of(key, act)
  if redis.call('EXISTS', key) == 0 then return end
  local cursor, found = '0', {}
  repeat
    local page = redis.call('HSCAN', key, cursor, 'MATCH', gone .. '\31*', 'COUNT', 1000)
    cursor = page[1]
    for k = 1, #page[2], 2 do found[#found + 1] = page[2][k] end
  until cursor == '0'
  for _, field in ipairs(found) do act(field, into .. string.sub(field, #gone + 1)) end
end

for hour = first, last do
  for bucket = hour * 12, hour * 12 + 11 do
    local counts = prefix .. ':counts:' .. bucket
    if redis.call('EXISTS', counts) == 1 then
      over(counts, gone, into)
      moved = moved + over(counts, gone .. '\31m', into .. '\31m')
    end
  end
  local cells = prefix .. ':cells:' .. hour
  fields_of(cells, function(from, to) over(cells, from, to) end)
end

for day = math.floor(first / 24), math.floor(last / 24) do
  local customers = prefix .. ':customers:' .. day
  fields_of(customers, function(from, to)
    local then_, now = redis.call('HGET', customers, to), redis.call('HGET', customers, from)
    if not then_ or tonumber(now) > tonumber(then_) then redis.call('HSET', customers, to, now) end
    redis.call('HDEL', customers, from)
  end)
end

local samples, target = prefix .. ':samples:' .. gone, prefix .. ':samples:' .. into
for _, held in ipairs(redis.call('XRANGE', samples, '-', '+')) do
  redis.call('XADD', target, 'MAXLEN', '~', ARGV[6], '*', unpack(held[2]))
end
redis.call('DEL', samples)
return moved
