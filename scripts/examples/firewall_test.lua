local test = require "test"
test("pings and DNS pass, TCP is reset, the rest is dropped", function(t)
  t:load("firewall.lua", { pair = true })
  t:inject(ip{ dst = "192.0.2.2" }/icmp{})
  t:expect{ icmp = { type = 8 } }
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 4000, dport = 53 })
  t:expect{ udp = { dport = 53 } }
  t:inject(ip{ dst = "192.0.2.2" }/tcp{ dport = 80, flags = "S" })
  local r = t:expect{ tcp = { has = "R" } }
  assert(r.ip.dst == "192.0.2.1", r)
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 4000, dport = 9 })
  t:expect_nothing()
end)
