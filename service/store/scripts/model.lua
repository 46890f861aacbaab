#!lua
-- Put a topic model in the place of the one of a known version, or change nothing: two writers never undo one another.
-- With the name of a bundle the model is promoted: it holds for what enters the inbox from a moment on that lies a
-- little ahead, so that no worker reads an entry of that time without knowing; the model before is kept beside it.
-- What became of the ids goes into the lineage in the same step, so that no id is lost without a word.
-- KEYS model, promotions, lineage
-- ARGV version expected, blob, first bucket, number of lineage events, events..., then of a promotion: bundle,
--      milliseconds ahead, scales, given ids, at, reason
-- Returns the new version, or -1 where another came before.
local model, version, blob, first, told = KEYS[1], ARGV[1], ARGV[2], ARGV[3], 4 + tonumber(ARGV[4])
if tonumber(redis.call('HGET', model, 'version') or '0') ~= tonumber(version) then return -1 end
local bundle, ahead, scales, given, at, reason = unpack(ARGV, told + 1, told + 6)
for i = 5, told do redis.call('RPUSH', KEYS[3], ARGV[i]) end
if bundle then
  local now = redis.call('TIME')
  local since = now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ahead)
  local from = redis.call('HGET', model, 'bundle') or ''
  redis.call('HSET', model, 'before', redis.call('HGET', model, 'blob') or '', 'bundle_before', from,
    'bundle', bundle, 'since', string.format('%.0f', since), 'scales', scales, 'given', given)
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*',
    'bundle', bundle, 'before', from, 'at', at, 'reason', reason)
end
redis.call('HSET', model, 'blob', blob)
redis.call('HSETNX', model, 'first', first)
return redis.call('HINCRBY', model, 'version', 1)
