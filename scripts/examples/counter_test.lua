local test = require "test"
test("counting changes nothing", function(t)
  t:load("counter.lua", { pair = true })
  for _, p in ipairs{ ip{ dst = "192.0.2.2" }/icmp{}, ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 } } do
    t:inject(p)
    assert(t:expect("ip"):bytes() == p:bytes())
  end
  t:advance(3)
  t:expect_nothing()
end)
