-- Stands between two hosts and resets, at both ends, each connection on which
-- somebody asks for /secret.
-- Try it:  tunscript lab --pair --server 'socat TCP-LISTEN:80 EXEC:cat' reset.lua -- sh -c 'echo GET /secret | socat - TCP:192.0.2.2:80'
on("tcp", function(p)
  if not p.payload:find("GET /secret", 1, true) then return end
  log.info("reset", p.ip.src, p.tcp.sport, p.ip.dst, p.tcp.dport)
  local on_its_way = p:copy{ tcp = { flags = "R", options = {} }, payload = "" }
  return { p:rst(), on_its_way }
end)
