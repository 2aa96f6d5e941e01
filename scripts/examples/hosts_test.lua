local test = require "test"
test("each of ten hosts has its own MAC, and nobody else is there", function(t)
  t:load("hosts.lua", { tap = true })
  for i = 10, 19 do
    t:inject(arp{ op = "request", tpa = "192.0.2." .. i })
    t:expect{ arp = { sha = "02:00:00:00:00:" .. i }, eth = { src = "02:00:00:00:00:" .. i } }
  end
  t:inject(arp{ op = "request", tpa = "192.0.2.20" })
  t:inject(ip{ dst = "192.0.2.20" }/icmp{})
  t:expect_nothing()
end)
