-- Port knocking: 7000, 8000 and 9000 within ten seconds of each other open port 22 of
-- the far host for a minute. Everything else from the near one is dropped.
-- Try it:  tunscript lab --pair knock.lua -- sh -c 'for p in 7000 8000 9000 22; do curl -m 0.3 -s telnet://192.0.2.2:$p; done'
local order, state = { 7000, 8000, 9000 }, shared.knock
on{ "tcp", device = "tun0", name = "knock", run = function(p)
  local src, port = p.ip.src, p.tcp.dport
  if p.flow.open or port == 22 and state:get("open " .. src) then
    p.flow.open = true                             -- as long as the connection lives
    return "accept"
  end
  if not p.tcp:is("S") then return "drop" end
  local n = state:get(src) or 0
  if port == order[n] then return "drop", "the same knock again" end
  n = port == order[n + 1] and n + 1 or port == order[1] and 1 or 0
  if n == #order then
    state:set("open " .. src, true, 60)
    log.info("open for", src)
    n = 0
  end
  state:set(src, n, 10)
  return "drop", "knock"
end }
on{ "not tcp and not arp", device = "tun0", run = function() return "drop", "not allowed" end }
