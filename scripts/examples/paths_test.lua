local test = require "test"
test("a hop is five milliseconds long", function(t)
  t:load "paths.lua"
  for ttl, router in ipairs{ "198.51.100.1", "203.0.113.7", "203.0.113.9", "192.0.2.20" } do
    local start = now()
    t:inject(ip{ dst = "192.0.2.20", ttl = ttl }/udp{ sport = 4000, dport = 33434 })
    t:expect({ ip = { src = router } }, 1)
    assert(math.abs(now() - start - 0.005 * ttl) < 1e-6, now() - start)
  end
  t:inject(ip{ dst = "2001:db8::20", ttl = 2 }/udp{ sport = 4000, dport = 33434 })
  t:expect({ ip = { src = "2001:db8:2::1" }, icmp6 = { type = 3 } }, 1)
  t:inject(ip{ dst = "192.0.2.99" }/icmp{})
  t:expect{ icmp = { type = 3, code = 1 } }
end)
