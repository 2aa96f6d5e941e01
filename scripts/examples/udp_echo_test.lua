local test = require "test"
test("port 7 echoes, others are refused", function(t)
  t:load "udp_echo.lua"
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 4000, dport = 7 }/"hello")
  t:expect{ udp = { sport = 7, dport = 4000 }, payload_is = "hello" }
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 4000, dport = 8 }/"hello")
  t:expect{ icmp = { type = 3, code = 3 } }
  t:expect_nothing()
end)
