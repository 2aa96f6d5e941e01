-- A router with an MTU of 1280 between two hosts: tells who sends more, and counts who
-- adapts within a second and who is stubborn.
-- Try it:  tunscript lab --pair pmtu.lua -- sh -c 'ping -M do -c 2 -i 0.2 -s 1400 192.0.2.2; ping -c 1 -s 1200 192.0.2.2'
local mtu, told, adapted, stubborn = 1280, 0, 0, 0
on("ip or ip6", function(p)
  local f = p.flow
  local at = f.dir .. " told"
  if p.ip.len > mtu and p.ip.df then
    if not f[at] then
      f[at], told = now(), told + 1
    elseif now() - f[at] > 1 then                  -- what was in flight is not held against anyone
      f[at], stubborn = now(), stubborn + 1
    end
    return p:unreachable("fragmentation", mtu)
  end
  if f[at] then f[at], adapted = nil, adapted + 1 end
end)
on_stop(function() log.info("told", told, "adapted", adapted, "stubborn", stubborn) end)
