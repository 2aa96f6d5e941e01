local test = require "test"
test("a request in two segments, the page, and the end of the connection", function(t)
  t:load "web.lua"
  local function say(flags, seq, ack, payload)
    t:inject(ip{ dst = "192.0.2.2" }/tcp{ sport = 4000, dport = 80, flags = flags, seq = seq, ack = ack }/(payload or ""))
  end
  say("S", 100)
  local sa = t:expect{ tcp = { flags = "SA", ack = 101 } }
  say("A", 101, sa.tcp.seq + 1)
  say("PA", 101, sa.tcp.seq + 1, "GET /x HTT")
  t:expect{ tcp = { flags = "A", ack = 111 } }
  say("PA", 111, sa.tcp.seq + 1, "P/1.0\r\n\r\n")
  local page = t:expect({ payload = "^HTTP/1.0 200 OK\r\nContent%-Length: %d+\r\n\r\nGET /x from 192.0.2.1:4000," }, 1)
  t:expect({ tcp = { has = "F", seq = page.tcp.seq + #page.payload } }, 1)
end)
