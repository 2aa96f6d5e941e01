-- Sends every UDP datagram to port 7 back, and refuses the other ports.
-- Try it:  tunscript lab udp_echo.lua -- sh -c 'echo hello | socat -t1 - UDP:192.0.2.2:7'
on("udp dst port 7", function(p)
  return p:reply()
end)
on("udp", function(p)
  return p:unreachable("port")
end)
