local test = require "test"
test("a ping that comes in fragments is answered in fragments", function(t)
  t:load "ping24.lua"
  local echo = ip{ dst = "192.0.2.77" }/icmp{ id = 1, seq = 1 }/("x"):rep(4000)
  t:inject(echo)                                   -- larger than the MTU: it is cut on its way
  local first = t:expect{ ip = { src = "192.0.2.77", mf = true, frag = 0 } }
  assert(first.icmp.type == 0)
  t:expect{ ip = { mf = true, frag = 1480 } }
  t:expect{ ip = { mf = false, frag = 2960 } }
  t:expect_nothing()
end)
test("others are not answered", function(t)
  t:load "ping24.lua"
  t:inject(ip{ dst = "203.0.113.1" }/icmp{})
  t:expect_nothing()
end)
