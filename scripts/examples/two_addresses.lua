-- A device has two addresses, and only one of them gets here: the host's own is answered
-- by the kernel, which never lets it out ("local ... dev lo"); the peer's goes out of the
-- device, and this script answers it. "ip route get" says which way each goes.
-- Try it:  tunscript lab two_addresses.lua -- sh -c 'for a in 192.0.2.1 192.0.2.2; do ip route get $a; ping -c 1 $a; done'
on("icmp[icmptype] == icmp-echo or icmp6[icmp6type] == icmp6-echo", function(p)
  log.info(p.ip.dst, "is asked for on", p.device)
  return p:reply()
end)
