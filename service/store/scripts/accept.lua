#!lua
-- Take messages into a partition: remember each id and append to the inbox in one step, so that a repeated post
-- is never in twice and an accepted one is never missing. Refuses the whole call where the inbox is full.
-- KEYS inbox, newest, seen today, seen on the days before (any number)
-- ARGV largest inbox, seconds to remember an id, and of n messages, each in one string (so that a client has six
--      arguments to write and not thousands): when they occurred (doubles, s), digests of source and id (12 bytes
--      each), lengths of the entries (32 bits), entries
-- Returns 1 (accepted) or 0 (duplicate) for each, or {-1} where the inbox is full.
local inbox, newest, today = KEYS[1], KEYS[2], KEYS[3]
if redis.call('XLEN', inbox) >= tonumber(ARGV[1]) then return {-1} end
local times, lengths, entries = ARGV[3], ARGV[5], ARGV[6]
local AT_ONCE = 1000 -- unpack takes some 8,000 at most
local digests = {}
for start = 1, #ARGV[4], 12 do digests[#digests + 1] = string.sub(ARGV[4], start, start + 11) end
local answer = {}

local known = {} -- by digest, those of this call among them
for start = 1, #digests, AT_ONCE do
  local last = math.min(start + AT_ONCE - 1, #digests)
  for k = 3, #KEYS do
    local held = redis.call('SMISMEMBER', KEYS[k], unpack(digests, start, last))
    for i = 1, #held do
      if held[i] == 1 then known[digests[start + i - 1]] = true end
    end
  end
end

local fresh = {}
local latest = tonumber(redis.call('GET', newest) or '0')
local began, place = latest, 1
for i = 1, #digests do
  local digest, length = digests[i], struct.unpack('<I4', lengths, 4 * i - 3)
  if known[digest] then
    answer[i] = 0
  else
    known[digest] = true
    fresh[#fresh + 1] = digest
    redis.call('XADD', inbox, '*', 'm', string.sub(entries, place, place + length - 1))
    latest = math.max(latest, (struct.unpack('<d', times, 8 * i - 7)))
    answer[i] = 1
  end
  place = place + length
end
for start = 1, #fresh, AT_ONCE do
  redis.call('SADD', today, unpack(fresh, start, math.min(start + AT_ONCE - 1, #fresh)))
end
if latest > began then redis.call('SET', newest, string.format('%.3f', latest)) end
redis.call('EXPIRE', today, ARGV[2])
return answer
