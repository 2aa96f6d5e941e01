local test = require "test"
test("what is scrambled twice is what it was", function(t)
  t:option("key", 0x20)
  t:load("xor_tunnel.lua", { pair = true })
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 9 }/"Hello\0\n")
  local p = t:expect{ udp = { dport = 9 } }
  assert(p.payload == "hELLO\32\42" and p:valid())
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 10 }/p.payload)
  assert(t:expect{ udp = { dport = 10 } }.payload == "Hello\0\n")
end)
test("what has no payload goes through as it is", function(t)
  t:load("xor_tunnel.lua", { pair = true })
  t:inject(ip{ dst = "192.0.2.2" }/tcp{ dport = 80, flags = "S", options = { mss = 1460 } })
  local syn = t:expect{ tcp = { flags = "S" } }
  assert(syn.payload == "" and syn.tcp.options.mss == 1460 and syn:valid())
end)
