-- Stands between two hosts: lets pings and DNS through, and says no to the rest.
-- Try it:  tunscript lab --pair firewall.lua -- ping -c 3 192.0.2.2
on{ "icmp or icmp6 or arp or udp port 53", name = "allowed", prio = -10, run = function(p)
  return "accept"
end }
on{ "tcp", name = "tcp", run = function(p)
  return { p:rst() }                      -- a reset, so that the client does not wait
end }
on(function(p)
  return "drop", "not allowed"
end)
