-- Changes every packet.
on(function(p)
  p.ip.ttl = p.ip.ttl - 1
end)
