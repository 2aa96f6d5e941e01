-- Breaks the checksum of every third TCP segment and UDP datagram between two hosts.
-- The receiver drops those and counts them; TCP sends again, UDP does not.
-- Try it:  tunscript lab --pair --server 'socat -u UDP-RECV:9 -' badsum.lua -- sh -c 'for i in 1 2 3 4 5 6; do echo datagram $i; sleep 0.1; done | socat -u - UDP:192.0.2.2:9'
local n, every_nth = 0, option("every", { default = 3, min = 1, help = "which packets are broken: every nth" })
on("tcp or udp", function(p)
  n = n + 1
  if n % every_nth == 0 then (p.tcp or p.udp).checksum = "bad" end
end)
