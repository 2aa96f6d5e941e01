local test = require "test"
test("one a second, each with a timeout", function(t)
  t:load "ping_task.lua"
  t:inject(t:expect{ icmp = { type = 8, seq = 1 } }:reply())
  t:advance(1)
  t:expect{ icmp = { type = 8, seq = 2 } }         -- this one is not answered
  t:advance(1)
  t:inject(t:expect{ icmp = { type = 8, seq = 3 } }:unreachable("host"))
  t:advance(60)
  t:expect_nothing()
end)
