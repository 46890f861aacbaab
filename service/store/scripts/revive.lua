#!lua
-- Bring dead messages back into the inbox: out of the dead stream and in again at once.
-- KEYS dead, inbox   ARGV dead entry ids
-- Returns how many came back.
local back = 0
for i = 1, #ARGV do
  local held = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])
  if held[1] then
    redis.call('XDEL', KEYS[1], ARGV[i])
    redis.call('XADD', KEYS[2], '*', 'm', held[1][2][2])
    back = back + 1
  end
end
return back
