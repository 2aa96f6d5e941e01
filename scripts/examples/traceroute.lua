-- Pretends that there are three routers on the way to every host.
-- Try it:  tunscript lab traceroute.lua -- traceroute -n 192.0.2.2
local routers = { "198.51.100.1", "198.51.100.2", "198.51.100.3" }
local far = { ip = { ttl = 64 - #routers } }       -- what comes from behind them has aged
on("ip", function(p)
  local router = routers[p.ip.ttl]
  if router then return p:ttl_exceeded{ ip = { src = router } } end
  if p.udp then return p:unreachable("port", far) end
  if p.tcp then return p:rst(far) end              -- traceroute -T, nmap --traceroute
  if p.icmp then return p:reply(far) end
end)
