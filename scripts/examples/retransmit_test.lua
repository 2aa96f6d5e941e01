local test = require "test"
local function syn(t) t:inject(ip{ dst = "192.0.2.2" }/tcp{ sport = 4000, dport = 80, flags = "S", seq = 7 }) end
test("again after 1, 2 and 4 seconds, then no more", function(t)
  t:load "retransmit.lua"
  syn(t)
  local first = t:expect{ tcp = { flags = "SA", ack = 8 } }
  for _, wait in ipairs{ 1, 2, 4 } do
    t:advance(wait - 0.001)
    t:expect_nothing()
    t:advance(0.001)
    t:expect{ tcp = { flags = "SA", seq = first.tcp.seq } }
  end
  t:advance(60)
  t:expect_nothing()
end)
test("once is enough for a client that answers", function(t)
  t:load "retransmit.lua"
  syn(t)
  t:inject(t:expect{ tcp = { flags = "SA" } }:reply())
  t:advance(60)
  t:expect_nothing()
end)
