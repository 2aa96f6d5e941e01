-- Prints every packet in one line, and of a SYN all its headers, field by field. It
-- decides nothing: the second script, or the network, does.
-- Try it:  tunscript lab headers.lua closed.lua -- sh -c 'ping -c 1 192.0.2.2; curl http://192.0.2.2/'
on(function(p)
  print(p)
  if p.tcp and p.tcp:has("S") then print(p:show()) end
end)
