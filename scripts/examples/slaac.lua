-- A router that does not exist (RFC 4861): it advertises a prefix, and every kernel on the
-- link gives itself an address in it and a default route (RFC 4862). Pings to anywhere answer.
-- Try it:  tunscript lab --tap slaac.lua -- sh -c 'sleep 2; ip -6 address show tap0; ip -6 route; ping -c 1 2001:db8:77::1'
local router, mac, prefix = "fe80::1", "02:00:00:00:00:02", "2001:db8:77::"

local function advertise()
  local hops, flags, lifetime = 64, 0, 1800        -- 4.2: they stand where an echo has id and seq
  local link = string.pack("BB", 1, 1) .. hex(mac) -- 4.6.1: the router's MAC
  local on_link, autonomous = 0x80, 0x40
  local net = string.pack("BBBB I4 I4 I4", 3, 4, 64, on_link + autonomous, 86400, 14400, 0) .. aton(prefix) -- 4.6.2
  send(eth{ src = mac, dst = "33:33:00:00:00:01" } / ip6{ src = router, dst = "ff02::1", ttl = 255 }
    / icmp6{ type = 134, code = 0, id = hops * 256 + flags, seq = lifetime }
    / (string.pack("I4 I4", 0, 0) .. link .. net))
end

every(1, advertise)
on("icmp6[icmp6type] == icmp6-routersolicit", function()
  advertise()
  return "drop", "answered"
end)
on("icmp6[icmp6type] == icmp6-neighborsolicit", function(p)
  if p.ip.src == "::" then return "drop", "who asks whether its address is free hears nothing" end
  return p:reply{ icmp6 = { lladdr = mac } }
end)
on("icmp6[icmp6type] == icmp6-echo", function(p) return p:reply() end)
