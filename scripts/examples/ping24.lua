-- Answers pings of any size to 192.0.2.0/24 and 2001:db8::/64: with defrag the
-- fragments are joined before the handler, its filter included, looks at them.
-- Try it:  tunscript lab ping24.lua -- ping -c 3 -i 0.2 -s 60000 192.0.2.77
local function answer(p) return p:reply() end
on{ "icmp[icmptype] == icmp-echo and dst net 192.0.2.0/24", defrag = true, run = answer }
on{ "icmp6[icmp6type] == icmp6-echo and dst net 2001:db8::/64", defrag = true, run = answer }
