local test = require "test"
test("three routers, and then the host", function(t)
  t:load "traceroute.lua"
  for ttl, router in ipairs{ "198.51.100.1", "198.51.100.2", "198.51.100.3" } do
    t:inject(ip{ dst = "192.0.2.2", ttl = ttl }/udp{ sport = 4000, dport = 33434 + ttl })
    local e = t:expect{ ip = { src = router }, icmp = { type = 11 } }
    assert(packet(e.payload).udp.dport == 33434 + ttl, "it quotes what it is about")
  end
  t:inject(ip{ dst = "192.0.2.2", ttl = 4 }/udp{ sport = 4000, dport = 33438 })
  t:expect{ ip = { src = "192.0.2.2" }, icmp = { type = 3, code = 3 } }
end)
