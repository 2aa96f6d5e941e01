local test = require "test"
test("ages, clamps and marks", function(t)
  t:load("mangle.lua", { pair = true })
  t:inject(ip{ dst = "192.0.2.2", ttl = 9 }/tcp{ dport = 80, flags = "S", options = { mss = 1460 } })
  local syn = t:expect{ tcp = { flags = "S" } }
  assert(syn.ip.ttl == 8 and syn.tcp.options.mss == 1360 and syn:valid())
  t:inject(ip{ dst = "2001:db8::2", ttl = 9 }/udp{ sport = 1, dport = 2 })
  local d = t:expect{ udp = { dport = 2 } }
  assert(d.ip.ttl == 8 and d.ip.dscp == 46 and d:valid())
  t:inject(ip{ dst = "192.0.2.2", ttl = 1 }/icmp{})
  t:expect{ icmp = { type = 11 } }
  t:expect_nothing()
end)
