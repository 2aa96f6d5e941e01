local test = require "test"
test("what goes out of the device is answered, over IPv4 and IPv6", function(t)
  t:load "two_addresses.lua"
  for _, dst in ipairs{ "192.0.2.2", "2001:db8::2" } do
    t:inject(ip{ dst = dst }/(dst:find(":") and icmp6 or icmp){ id = 1, seq = 1 })
    t:expect{ ip = { src = dst } }
  end
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 7 })
  t:expect_nothing()
end)
