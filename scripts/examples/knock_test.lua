local test = require "test"
local function knock(t, port, sport)
  t:inject(ip{ dst = "192.0.2.2" }/tcp{ sport = sport or port, dport = port, flags = "S" })
end
local function opens(t, sport)
  knock(t, 22, sport)
  t:advance(0)
  return (pcall(t.expect, t, { tcp = { dport = 22 } }))
end
test("three knocks in order open port 22 for a minute", function(t)
  t:load("knock.lua", { pair = true })
  assert(not opens(t, 1))
  for _, port in ipairs{ 7000, 7000, 8000, 9000 } do knock(t, port) t:advance(1) end
  assert(opens(t, 2))
  t:advance(61)
  assert(not opens(t, 3))
end)
test("too slow, or in another order, they do not", function(t)
  t:load("knock.lua", { pair = true })
  for _, port in ipairs{ 7000, 9000, 8000, 9000 } do knock(t, port) end
  assert(not opens(t, 1))
  for _, port in ipairs{ 7000, 8000, 9000 } do t:advance(11) knock(t, port) end
  assert(not opens(t, 2))
end)
