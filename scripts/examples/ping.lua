-- Answers every ping, whoever is asked for, over IPv4 and IPv6.
-- Try it:  tunscript lab ping.lua -- ping -c 3 192.0.2.2
on("icmp[icmptype] == icmp-echo or icmp6[icmp6type] == icmp6-echo", function(p)
  return p:reply()
end)
