local test = require "test"
local function burst(t, n, src)
  local got = 0
  for i = 1, n do t:inject(ip{ src = src, dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 }) end
  t:advance(0)
  while pcall(t.expect, t, { ip = { src = src } }) do got = got + 1 end
  return got
end
test("twenty at once, ten a second, each source for itself", function(t)
  t:load("rate_limit.lua", { pair = true })
  assert(burst(t, 50, "192.0.2.1") == 20)
  assert(burst(t, 50, "192.0.2.7") == 20)
  t:advance(0.5)
  assert(burst(t, 50, "192.0.2.1") == 5)
  t:advance(3600)
  assert(burst(t, 50, "192.0.2.1") == 20)
end)
