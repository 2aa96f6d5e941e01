local test = require "test"
test("who has it is told, and then a ping answered", function(t)
  t:load("arp.lua", { tap = true })
  t:inject(arp{ op = "request", tpa = "192.0.2.77" })
  t:expect{ arp = { op = "reply", spa = "192.0.2.77", sha = "02:00:00:00:00:02" } }
  t:inject(ip{ dst = "192.0.2.77" }/icmp{})
  t:expect{ eth = { src = "02:00:00:00:00:02" }, icmp = { type = 0 } }
end)
