local test = require "test"
test("a reset, port unreachable, and an answer", function(t)
  t:load "closed.lua"
  t:inject(ip{ dst = "192.0.2.9" }/tcp{ sport = 4000, dport = 80, flags = "S", seq = 7 })
  t:expect{ tcp = { flags = "RA", seq = 0, ack = 8 } }
  t:inject(ip{ dst = "2001:db8::9" }/udp{ sport = 4000, dport = 53 })
  t:expect{ icmp6 = { type = 1, code = 4 } }
  t:inject(ip{ dst = "192.0.2.9" }/icmp{})
  t:expect{ icmp = { type = 0 } }
  t:expect_nothing()
end)
