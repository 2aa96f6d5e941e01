-- Looks at every super-packet whole.
local n = 0
on{ super = true, run = function(p)
  if p.tcp and p.tcp.dport == 5201 then n = n + 1 end
end }
