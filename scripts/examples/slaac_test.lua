local test = require "test"
test("a solicitation is answered with the prefix, and so it goes on", function(t)
  t:load("slaac.lua", { tap = true })
  t:inject(eth{ dst = "33:33:00:00:00:02" }/ip6{ src = "::", dst = "ff02::2", ttl = 255 }/icmp6{ type = 133, code = 0 })
  local a = t:expect{ icmp6 = { type = 134 }, ip = { src = "fe80::1", ttl = 255 } }
  assert(a:valid() and a.payload:find(aton("2001:db8:77::"), 1, true))
  t:expect({ icmp6 = { type = 134 } }, 1)
end)
test("its neighbors find it, and it pings", function(t)
  t:load("slaac.lua", { tap = true })
  t:inject(ip{ dst = "2001:db8:77::1" }/icmp6{ id = 1, seq = 1 })
  t:expect{ ip = { src = "2001:db8:77::1" } }
end)
