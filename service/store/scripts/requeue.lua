#!lua
-- Bring given-up notifications back into the outbox: out of the dead stream and due again at once.
-- KEYS dead, outbox, bodies   ARGV due (s), dead entry ids
-- Returns how many came back.
local back = 0
for i = 2, #ARGV do
  local held = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])
  if held[1] then
    local fields = {}
    for k = 1, #held[1][2], 2 do fields[held[1][2][k]] = held[1][2][k + 1] end
    redis.call('XDEL', KEYS[1], ARGV[i])
    if redis.call('HSETNX', KEYS[3], fields['id'], fields['body']) == 1 then
      redis.call('ZADD', KEYS[2], ARGV[1], fields['id'])
      back = back + 1
    end
  end
end
return back
