local test = require "test"
local tcp = require "tcp"
local header = "Via: 1.1 tunscript\r\n"

test("a request and its answer have one header more, for both ends", function(t)
  t:load("via.lua", { pair = true })
  local asked
  tcp.listen(80, function(conn)                    -- the server, on the far side
    asked = conn:read("*l") .. "|" .. conn:read("*l") .. "|" .. conn:read("*l")
    conn:write("HTTP/1.1 200 OK\r\nServer: t\r\n\r\n" .. ("x"):rep(100000))
    conn:close()
  end)
  local conn = assert(tcp.connect{ dst = "192.0.2.2", dport = 80, device = "tun0.wire" })
  conn:write("GET / HT")                           -- a line in two pieces
  t:advance(0.1)
  conn:write("TP/1.1\r\nHost: a\r\n\r\n")
  local answer = conn:read("*a")
  assert(asked:gsub("\r", "") == "GET / HTTP/1.1|Via: 1.1 tunscript|Host: a", asked)
  assert(answer == "HTTP/1.1 200 OK\r\n" .. header .. "Server: t\r\n\r\n" .. ("x"):rep(100000))
end)

test("the header comes again with what it stands in, and its acknowledgement is nobody's", function(t)
  t:load("via.lua", { pair = true })
  local isn = 2^32 - 10                            -- the numbers run over in the first line
  local function client(fields, text)
    fields.sport, fields.dport, fields.ack = 4000, 80, fields.ack or 501
    t:inject(ip{ dst = "192.0.2.2" }/tcp(fields)/(text or ""))
  end
  local function server(acked)                     -- what the client hears of it
    t:inject(ip{ src = "192.0.2.2", dst = "192.0.2.1" }/tcp{ sport = 80, dport = 4000, flags = "A", seq = 501, ack = acked }, "tun1")
    return t:expect{ tcp = { sport = 80 } }.tcp.ack
  end
  local function arrives(seq, text)
    local p = t:expect{ tcp = { dport = 80 } }
    assert(p.tcp.seq == seq % 2^32 and p.payload == text and p:valid(), tostring(p) .. p.payload)
  end
  client{ flags = "S", seq = isn, options = { sack_permitted = true } }
  assert(not t:expect{ tcp = { flags = "S" } }.tcp.options.sack_permitted)
  t:inject(ip{ src = "192.0.2.2", dst = "192.0.2.1" }/tcp{ sport = 80, dport = 4000, flags = "SA", seq = 500, ack = isn + 1 }, "tun1")
  t:expect{ tcp = { flags = "SA", ack = isn + 1 } }

  local line, rest = "GET / HTTP/1.1\r\n", "Host: a\r\n\r\n"
  local at, k = isn + 1 + #line, #header
  client({ flags = "A", seq = at }, rest)          -- overtakes the line: it is not let in
  t:expect_nothing()
  client({ flags = "A", seq = isn + 1 }, line)
  arrives(isn + 1, line .. header)
  client({ flags = "A", seq = at }, rest)
  arrives(at + k, rest)
  client({ flags = "A", seq = isn + 1 }, line)     -- lost, and again: alone, with the rest, in part
  arrives(isn + 1, line .. header)
  client({ flags = "A", seq = isn + 1 }, line .. rest)
  arrives(isn + 1, line .. header .. rest)
  client({ flags = "A", seq = at - 3 }, line:sub(-3) .. rest:sub(1, 4))
  arrives(at - 3, line:sub(-3) .. header .. rest:sub(1, 4))
  client({ flags = "A", seq = isn + 1 }, line:sub(1, 5))
  arrives(isn + 1, line:sub(1, 5))
  client{ flags = "FA", seq = at + #rest }
  arrives(at + k + #rest, "")

  for _, acked in ipairs{ { isn + 1, isn + 1 }, { at - 1, at - 1 }, { at, at - 1 }, { at + k - 1, at - 1 }, { at + k, at }, { at + k + 5, at + 5 } } do
    local heard = server(acked[1] % 2^32)
    assert(heard == acked[2] % 2^32, acked[1] - at .. " is heard as " .. seqdiff(heard, at % 2^32))
  end
end)
