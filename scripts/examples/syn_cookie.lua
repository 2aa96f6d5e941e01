-- A gate in front of a host: who opens a connection must first show that its address is
-- not forged. A SYN is answered with a cookie as sequence number, and nothing is kept;
-- who sends the cookie back is known for an hour, is reset once, and tries again.
-- Try it:  tunscript lab --pair --server 'exec socat TCP-LISTEN:80,fork EXEC:cat' syn_cookie.lua -- sh -c 'sleep 0.3; for i in 1 2; do echo hello | socat -t1 - TCP:192.0.2.2:80; done'
local secret = tostring(math.random())
local function cookie(p)
  local s = p.ip.src .. p.tcp.sport .. p.ip.dst .. p.tcp.dport .. secret
  return checksum(s) * 65536 + checksum(s:reverse() .. secret .. "x")
end
on{ "tcp", device = "tun0", name = "gate", run = function(p)
  if shared.known:get(p.ip.src) then return end
  if p.tcp:is("S") then return p:reply{ tcp = { seq = cookie(p) } } end
  if p.tcp:has("A") and seqdiff(p.tcp.ack, cookie(p)) == 1 then
    shared.known:set(p.ip.src, true, 3600)
    return p:rst()
  end
  return "drop", "no cookie"
end }
