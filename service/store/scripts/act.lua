#!lua
-- What somebody did about an alert: the facts beside it, its line in the timeline, what it asks of its topic, and the
-- event for live feeds, in one step; nothing where others changed the facts meanwhile.
-- KEYS facts, timeline, bars, events
-- ARGV alert id, facts before ('' for none), facts after, line ('' for none), seconds to keep the timeline,
--      bar ('' to leave it, '-' to take it away), kind of event, most events
-- Returns 1, or 0 where the facts are not as they were.
local facts, timeline, bars, events = unpack(KEYS)
local id, before, after, line, keep, bar, kind, most = unpack(ARGV)
if (redis.call('HGET', facts, id) or '') ~= before then return 0 end
redis.call('HSET', facts, id, after)
if line ~= '' then
  redis.call('RPUSH', timeline, line)
  redis.call('EXPIRE', timeline, keep)
end
if bar == '-' then
  redis.call('HDEL', bars, id)
elseif bar ~= '' then
  redis.call('HSET', bars, id, bar)
end
redis.call('XADD', events, 'MAXLEN', '~', most, '*', 'kind', kind, 'alert', id, 'body', '')
return 1
