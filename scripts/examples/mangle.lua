-- A router between two hosts: ages packets, clamps TCP's MSS as for a tunnel behind
-- it, and marks UDP for the fast lane (DSCP EF). Lengths and checksums follow.
-- Try it:  tunscript lab --pair mangle.lua -- sh -c 'ping -c 1 192.0.2.2; ping -c 1 -t 1 192.0.2.2'
on("ip or ip6", function(p)
  if p.ip.ttl <= 1 then return p:ttl_exceeded() end
  p.ip.ttl = p.ip.ttl - 1
  if p.udp then p.ip.dscp = 46 end
  if p.tcp and p.tcp:has("S") then
    p.tcp.options.mss = math.min(p.tcp.options.mss or 536, 1360)
  end
end)
