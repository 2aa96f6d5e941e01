local test = require "test"
test("one segment in ten does not come, and comes again when it is missed", function(t)
  t:load("segments.lua")
  local function say(flags, seq, ack, payload)
    t:inject(ip{ dst = "192.0.2.2" }/tcp{ sport = 4000, dport = 80, flags = flags, seq = seq, ack = ack,
      options = flags == "S" and { mss = 1000 } or nil }/(payload or ""))
  end
  say("S", 100)
  local iss = t:expect{ tcp = { flags = "SA", ack = 101 } }.tcp.seq
  say("A", 101, iss + 1)
  say("PA", 101, iss + 1, "GET / HTTP/1.0\r\n\r\n")
  for i = 0, 8 do t:expect({ tcp = { seq = iss + 1 + 1000 * i }, ip = { len = 1040 } }, 1) end
  for _ = 1, 3 do say("A", 119, iss + 1 + 1000 * 9) end
  t:expect({ tcp = { seq = iss + 1 + 1000 * 9 } }, 1)
end)
