-- The reflector, with something to look at in Lua for every datagram.
on("udp", function(p)
  if p.udp.dport ~= 7 then return "drop", "not echo" end
  return p:reply()
end)
