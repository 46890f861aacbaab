#!lua
-- Give kept messages the vectors of another embedder. Each leaves its place and comes back at the end in one step, so
-- that it is there once whatever else takes it meanwhile, and a carrier killed anywhere has done some and harmed none.
-- KEYS stream   ARGV space, then pairs: entry id, vector
-- Returns how many were carried.
local stream, space = KEYS[1], ARGV[1]
local carried = 0
for i = 2, #ARGV, 2 do
  local id, vector = ARGV[i], ARGV[i + 1]
  local held = redis.call('XRANGE', stream, id, id)
  if held[1] then
    local fields = held[1][2]
    redis.call('XDEL', stream, id)
    redis.call('XADD', stream, '*', 'm', fields[2], 'v', vector, 'f', fields[6], 's', space)
    carried = carried + 1
  end
end
return carried
