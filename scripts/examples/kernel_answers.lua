-- Pings the host from the script's side. The kernel answers for each address it owns,
-- whichever device that stands on (RFC 1122 3.3.4.2 calls it the weak model), and for no other.
-- Try it:  tunscript lab kernel_answers.lua -- sh -c 'ip address add 198.51.100.1 dev lo; sleep 4'
local addresses = { "192.0.2.1", "2001:db8::1", "198.51.100.1", "198.51.100.2" }
spawn(function()
  sleep(1)
  for i, dst in ipairs(addresses) do
    local v6 = dst:find(":", 1, true)
    local sent = now()
    local answer = sr(ip{ dst = dst }/(v6 and icmp6 or icmp){ id = 1, seq = i }, 1)
    if answer then
      log.info(("%s answers, after %.2f ms, ttl %d"):format(dst, (now() - sent) * 1000, answer.ip.ttl))
    else
      log.info(dst .. " is silent: the kernel does not own it")
    end
  end
end)
