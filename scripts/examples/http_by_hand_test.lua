local test = require "test"
test("handshake, page, orderly close", function(t)
  t:load "http_by_hand.lua"
  local function say(flags, seq, ack, payload)
    t:inject(ip{ dst = "192.0.2.2" }/tcp{ sport = 4000, dport = 80, flags = flags, seq = seq, ack = ack }/(payload or ""))
  end
  say("S", 100)
  local sa = t:expect{ tcp = { flags = "SA", ack = 101 } }
  say("A", 101, sa.tcp.seq + 1)
  say("PA", 101, sa.tcp.seq + 1, "GET / HTTP/1.0\r\n\r\n")
  local page = t:expect{ tcp = { has = "F" }, payload = "^HTTP/1.0 200 OK" }
  local all = page.tcp.seq + #page.payload + 1
  say("FA", 101 + 18, all)
  t:expect{ tcp = { flags = "A", seq = all, ack = 101 + 19 } }
  t:expect_nothing()
end)
