local test = require "test"
test("there, back, and ICMP errors about it", function(t)
  t:load("nat.lua", { pair = true })
  t:inject(ip{ dst = "192.0.2.2" }/tcp{ sport = 4000, dport = 8080, flags = "S", seq = 7 })
  local out = t:expect{ ip = { src = "192.0.2.254" }, tcp = { dport = 80, seq = 7 } }
  assert(out:valid())
  t:inject(out:reply(), "tun1")
  local back = t:expect{ ip = { src = "192.0.2.2", dst = "192.0.2.1" }, tcp = { sport = 8080, dport = 4000, flags = "SA" } }
  assert(back:valid())
  t:inject(out:unreachable("host"), "tun1")
  local e = t:expect{ ip = { dst = "192.0.2.1" }, icmp = { type = 3 } }
  local quoted = packet(e.payload)
  assert(quoted.ip.src == "192.0.2.1" and quoted.tcp.sport == 4000 and quoted.tcp.dport == 8080)
end)
test("nobody comes in unasked", function(t)
  t:load("nat.lua", { pair = true })
  t:inject(ip{ src = "192.0.2.2", dst = "192.0.2.254" }/tcp{ sport = 80, dport = 4000, flags = "S" }, "tun1")
  t:expect_nothing()
end)
