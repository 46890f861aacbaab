#!lua
-- One tick of the judge, whole or not at all: its state, the alerts, the events and the outbox. Refused where the
-- lease is not held any more or another judge got further, so that no alert is lost or doubled.
-- KEYS lease, judge, alerts, order, events, outbox, bodies
-- ARGV lease token, position before, position after, number of state fields, state pairs...,
--      number of alerts, (id, fired at, body)..., number of events, (kind, alert id, body)...,
--      number of notifications, (id, due, body)..., most events
-- Returns 'ok', 'lease lost' or 'not in step'.
local lease, judge, alerts, order, events, outbox, bodies = unpack(KEYS)
if redis.call('GET', lease) ~= ARGV[1] then return 'lease lost' end
local position = redis.call('HGET', judge, 'position') or ''
if position ~= ARGV[2] then return 'not in step' end
redis.call('HSET', judge, 'position', ARGV[3])
local i = 4
local function each(width, act)
  local n = tonumber(ARGV[i])
  i = i + 1
  for _ = 1, n do
    act(i)
    i = i + width
  end
end
each(2, function(k) redis.call('HSET', judge, ARGV[k], ARGV[k + 1]) end)
each(3, function(k)
  redis.call('HSET', alerts, ARGV[k], ARGV[k + 2])
  redis.call('ZADD', order, ARGV[k + 1], ARGV[k])
end)
local most = ARGV[#ARGV]
each(3, function(k)
  redis.call('XADD', events, 'MAXLEN', '~', most, '*', 'kind', ARGV[k], 'alert', ARGV[k + 1], 'body', ARGV[k + 2])
end)
each(3, function(k)
  if redis.call('HSETNX', bodies, ARGV[k], ARGV[k + 2]) == 1 then redis.call('ZADD', outbox, ARGV[k + 1], ARGV[k]) end
end)
return 'ok'
