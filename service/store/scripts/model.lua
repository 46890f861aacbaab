#!lua
-- Put a topic model in the place of the one of a known version, or change nothing: two writers never undo one another.
-- With the name of a bundle the model is promoted: it holds for what enters the inbox from a moment on that lies a
-- little ahead, so that no worker reads an entry of that time without knowing; the model before is kept beside it.
-- KEYS model, promotions
-- ARGV version expected ('' for any), blob, first bucket, then of a promotion: bundle, milliseconds ahead,
--      origins, given ids, at, reason
-- Returns the new version, or -1 where another came before.
local model, version, blob, first, bundle = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if version ~= '' and tonumber(redis.call('HGET', model, 'version') or '0') ~= tonumber(version) then return -1 end
if bundle then
  local now = redis.call('TIME')
  local since = now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[5])
  local from = redis.call('HGET', model, 'bundle') or ''
  redis.call('HSET', model, 'before', redis.call('HGET', model, 'blob') or '', 'bundle_before', from,
    'bundle', bundle, 'since', string.format('%.0f', since), 'origins', ARGV[6], 'given', ARGV[7])
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*',
    'bundle', bundle, 'before', from, 'at', ARGV[8], 'reason', ARGV[9])
end
redis.call('HSET', model, 'blob', blob)
redis.call('HSETNX', model, 'first', first)
return redis.call('HINCRBY', model, 'version', 1)
