-- A DNS server at every address, over UDP: it knows the names below and says of any
-- other that there is none.
-- Try it:  tunscript lab dns_server.lua -- dig @192.0.2.53 www.example AAAA
local dns = require "dns"
local zone = {
  ["www.example."] = { A = { "192.0.2.80", "192.0.2.81" }, AAAA = { "2001:db8::80" } },
  ["mail.example."] = { A = { "192.0.2.25" } },
}
on("udp dst port 53", function(p)
  local m = dns.parse(p.payload)
  local q = m and not m.qr and m.question[1]
  if not q then return "drop", "no question" end
  local host, answer = zone[q.name:lower()], {}
  for i, address in ipairs(host and host[q.type] or {}) do
    answer[i] = { name = q.name, type = q.type, ttl = 60, data = address }
  end
  return p:reply{ payload = dns.build{ id = m.id, qr = true, aa = true, rd = m.rd,
    rcode = host and "NOERROR" or "NXDOMAIN", question = { q }, answer = answer } }
end)
