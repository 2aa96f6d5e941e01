-- The reflector: answers every UDP datagram to port 7, and pings.
on("udp dst port 7", function(p)
  return p:reply()
end)
on("icmp[icmptype] == icmp-echo", function(p)
  return p:reply()
end)
