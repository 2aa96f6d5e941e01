-- Counts packets and bytes by protocol, and logs them every second and at the end.
-- Try it:  tunscript lab --pair counter.lua -- ping -c 6 -i 0.3 192.0.2.2
local protocols = { "arp", "icmp", "icmp6", "tcp", "udp", "other" }
local packets, bytes = {}, {}
on(function(p)
  local name = p.arp and "arp" or p.icmp and "icmp" or p.icmp6 and "icmp6" or p.tcp and "tcp" or p.udp and "udp" or "other"
  packets[name], bytes[name] = (packets[name] or 0) + 1, (bytes[name] or 0) + p.len
end)
local function report()
  for _, name in ipairs(protocols) do
    if packets[name] then log.info(name, packets[name], "packets", bytes[name], "bytes") end
  end
end
every(1, report)
on_stop(report)
