#!lua
-- Several commands in one step, so that whoever reads sees all of them done or none.
-- KEYS all that they touch   ARGV for each: number of words, words...
local i = 1
while i <= #ARGV do
  local last = i + tonumber(ARGV[i])
  redis.call(unpack(ARGV, i + 1, last))
  i = last + 1
end
return 1
