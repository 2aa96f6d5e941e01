-- Fakes another path of routers to each destination, a hop 5 ms long, over IPv4 and
-- IPv6. Every other host is unreachable.
-- Try it:  tunscript lab paths.lua -- traceroute -n -q 1 192.0.2.20
local paths = {
  ["192.0.2.10"] = { "198.51.100.1", "198.51.100.2" },
  ["192.0.2.20"] = { "198.51.100.1", "203.0.113.7", "203.0.113.9" },
  ["2001:db8::20"] = { "2001:db8:1::1", "2001:db8:2::1" },
}
on("ip or ip6", function(p)
  local path = paths[p.ip.dst]
  if not path then return p:unreachable("host") end
  local router = path[p.ip.ttl]
  local answer
  if router then answer = p:ttl_exceeded{ ip = { src = router } }
  elseif p.udp then answer = p:unreachable("port")
  elseif p.tcp then answer = p:rst()
  else answer = p:reply() end
  after(0.005 * math.min(p.ip.ttl, #path + 1), send, answer)
  return "drop", "answered later"
end)
