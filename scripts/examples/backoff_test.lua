local test = require "test"
test("a SYN without answer is sent again after 1, 2, 4 and 8 seconds, not earlier", function(t)
  t:load "backoff.lua"
  local first = t:expect{ tcp = { dport = 81, flags = "S" } }
  for _, wait in ipairs{ 1, 2, 4, 8 } do
    t:advance(wait - 0.001)
    t:expect_nothing()
    t:advance(0.001)
    t:expect{ tcp = { flags = "S", seq = first.tcp.seq, sport = first.tcp.sport } }
  end
  t:advance(120)
  t:expect_nothing()
end)
test("a reset is an answer", function(t)
  t:load "backoff.lua"
  t:inject(t:expect("tcp"):rst())
  t:advance(120)
  t:expect_nothing()
end)
