-- Ten hosts on TAP, 192.0.2.10 to 19 and 2001:db8::10 to 19, each with a MAC of its
-- own: answers ARP, neighbor discovery and pings for them, and for nobody else.
-- Try it:  tunscript lab --tap hosts.lua -- sh -c 'ping -c 1 192.0.2.13; ping -c 1 2001:db8::17; ip neigh'
local mac = {}
for i = 10, 19 do
  local m = ("02:00:00:00:00:%02d"):format(i)
  mac["192.0.2." .. i], mac["2001:db8::" .. i] = m, m
end
on("arp", function(p)
  local m = p.arp.op == "request" and mac[p.arp.tpa]
  if m then return p:reply{ arp = { sha = m } } end
end)
on("icmp6[icmp6type] == icmp6-neighborsolicit", function(p)
  local m = mac[p.icmp6.target]
  if m then return p:reply{ icmp6 = { lladdr = m } } end
end)
on("icmp[icmptype] == icmp-echo or icmp6[icmp6type] == icmp6-echo", function(p)
  if mac[p.ip.dst] then return p:reply() end
end)
