#!lua
-- Count messages of one partition exactly once: the acknowledgement (or the removal from the waiting pool) is the
-- test, and counting, sampling and acknowledging are one step, so a worker killed anywhere loses and doubles nothing.
-- KEYS source stream (the inbox, or where a message lies that is moved to another topic), guard
-- ARGV prefix, topic it is moved from ('-' for none; '' out of the inbox), group, seconds to keep customers, counts, cells, samples a topic,
--      waiting messages, recent messages, then nine per message:
--      entry id, topic ('-' for none, '~' for chatter), bucket, occurred at (s), customer, cells (joined by 0x1e),
--      entry, vector, space of the vector
-- A customer counts once per topic in 24 hours; a moved message gives back what it counted before. A topic that was
-- merged counts as its heir, whatever the worker knew.
-- Returns per message: 1 first of its customer, 0 repeated, -1 counted before.
local source = KEYS[1]
local prefix, left, group = ARGV[1], ARGV[2], ARGV[3]
local keep_customers, keep_counts, keep_cells = ARGV[4], ARGV[5], ARGV[6]
local keep_samples, keep_waiting, keep_recent = ARGV[7], ARGV[8], ARGV[9]
local DAY = 86400
local answer = {}

local heirs, held_heirs = {}, redis.call('HGETALL', prefix .. ':heirs')
for k = 1, #held_heirs, 2 do heirs[held_heirs[k]] = held_heirs[k + 1] end

local function heir_of(topic)
  while heirs[topic] do topic = heirs[topic] end
  return topic
end

local function first_in_a_day(topic, customer, at)
  local field = topic .. '\31' .. customer
  local day = math.floor(at / DAY)
  for d = day - 1, day + 1 do
    local last = redis.call('HGET', prefix .. ':customers:' .. d, field)
    if last and math.abs(at - tonumber(last)) < DAY then return false end
  end
  local key = prefix .. ':customers:' .. day
  redis.call('HSET', key, field, string.format('%d', at))
  redis.call('EXPIRE', key, keep_customers)
  return true
end

local function add(topic, bucket, hour, cells, first, sign)
  local counts = prefix .. ':counts:' .. bucket
  redis.call('HINCRBY', counts, topic .. '\31m', sign)
  if first then
    redis.call('HINCRBY', counts, topic, sign)
    local key = prefix .. ':cells:' .. hour
    for cell in string.gmatch(cells, '[^\30]+') do
      redis.call('HINCRBY', key, topic .. '\31' .. cell, sign)
    end
    redis.call('EXPIRE', key, keep_cells)
  end
  redis.call('EXPIRE', counts, keep_counts)
end

for i = 10, #ARGV, 9 do
  local id, topic, bucket, at, customer = ARGV[i], heir_of(ARGV[i + 1]), ARGV[i + 2], tonumber(ARGV[i + 3]), ARGV[i + 4]
  local cells, entry, vector, space = ARGV[i + 5], ARGV[i + 6], ARGV[i + 7], ARGV[i + 8]
  local hour = math.floor(at / 3600)
  local fresh = false
  if left == '' then
    fresh = redis.call('XACK', source, group, id) == 1
    if fresh then redis.call('XDEL', source, id) end
  else
    local held = redis.call('XRANGE', source, id, id)
    if held[1] then
      fresh = true
      redis.call('XDEL', source, id)
      local was_first = held[1][2][6] == '1'
      add(left, bucket, hour, cells, was_first, -1)
    end
  end
  if not fresh then
    answer[#answer + 1] = -1
  else
    local first = first_in_a_day(topic, customer, at)
    add(topic, bucket, hour, cells, first, 1)
    if topic == '-' then
      redis.call('XADD', prefix .. ':waiting', 'MAXLEN', '~', keep_waiting, '*',
        'm', entry, 'v', vector, 'f', first and '1' or '0', 's', space)
    elseif topic ~= '~' then
      redis.call('XADD', prefix .. ':samples:' .. topic, 'MAXLEN', '~', keep_samples, '*',
        'm', entry, 'v', vector, 'f', first and '1' or '0', 's', space)
    end
    if left == '' and topic ~= '~' then
      redis.call('XADD', prefix .. ':recent', 'MAXLEN', '~', keep_recent, '*',
        'm', entry, 'v', vector, 'f', first and '1' or '0', 's', space)
    end
    answer[#answer + 1] = first and 1 or 0
  end
end
return answer
