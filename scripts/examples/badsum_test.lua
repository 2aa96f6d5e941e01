local test = require "test"
test("every second checksum is wrong", function(t)
  t:option("every", 2)
  t:load("badsum.lua", { pair = true })
  for i = 1, 6 do
    t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = i, dport = 9 }/"x")
    local ok, layer = t:expect{ udp = { sport = i } }:valid()
    assert(ok == (i % 2 == 1) and (ok or layer == "udp"))
  end
end)
