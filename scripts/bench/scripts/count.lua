-- Looks at every packet.
local n = 0
on(function(p)
  if p.tcp and p.tcp.dport == 5201 then n = n + 1 end
end)
