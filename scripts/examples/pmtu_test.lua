local test = require "test"
test("who sends too much is told, who adapts passes", function(t)
  t:load("pmtu.lua", { pair = true })
  local function datagram(n) t:inject(ip{ dst = "192.0.2.2", df = true }/udp{ sport = 1, dport = 2 }/("x"):rep(n)) end
  datagram(1300)
  local e = t:expect{ icmp = { type = 3, code = 4 } }
  assert(e.icmp.mtu == 1280 and e.ip.dst == "192.0.2.1")
  datagram(1200)
  t:expect{ udp = { dport = 2 } }
  t:inject(ip{ dst = "2001:db8::2" }/udp{ sport = 1, dport = 2 }/("x"):rep(1300))
  local e6 = t:expect{ icmp6 = { type = 2 } }
  assert(e6.icmp6.mtu == 1280)
  t:expect_nothing()
end)
