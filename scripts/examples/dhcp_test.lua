local test = require "test"
local mac = hex"020000000042"
-- ask sends a message of a client that has no address yet, and gives the answer's kind and address.
local function ask(t, kind, options, within)
  t:inject(eth{ src = "02:00:00:00:00:42", dst = "ff:ff:ff:ff:ff:ff" }/ip{ src = "0.0.0.0", dst = "255.255.255.255" }
    / udp{ sport = 68, dport = 67 }/("\1\1\6\0" .. hex"deadbeef" .. ("\0"):rep(20) .. mac .. ("\0"):rep(202)
      .. hex"63825363" .. string.char(53, 1, kind) .. (options or "") .. "\255"))
  local a = t:expect({ udp = { sport = 67, dport = 68 }, ip = { src = "192.0.2.2" } }, within).payload
  assert(a:sub(1, 1) == "\2" and a:sub(5, 8) == hex"deadbeef" and a:sub(29, 34) == mac)
  return a:byte(243), ntoa(a:sub(17, 20)), a:sub(241)
end

test("discover, offer, request, acknowledgement", function(t)
  t:load("dhcp.lua", { tap = true })
  local kind, address = ask(t, 1)
  assert(kind == 2 and address == "192.0.2.100")
  local options
  kind, address, options = ask(t, 3, "\50\4" .. aton(address) .. "\54\4" .. aton("192.0.2.2"))
  assert(kind == 5 and address == "192.0.2.100")
  assert(options:find("\1\4" .. aton("255.255.255.0"), 1, true) and options:find("\51\4\0\0\2\88", 1, true))
  assert(select(2, ask(t, 1)) == "192.0.2.100", "the same again")
end)

test("an address that is not the client's is refused, and what is for another server left alone", function(t)
  t:load("dhcp.lua", { tap = true })
  assert(ask(t, 3, "\50\4" .. aton("192.0.2.7")) == 6)
  t:inject(ip{ src = "0.0.0.0", dst = "255.255.255.255" }/udp{ sport = 68, dport = 67 }/"short")
  t:expect_nothing()
end)
