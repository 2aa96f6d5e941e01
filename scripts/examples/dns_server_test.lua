local test = require "test"
local dns = require "dns"
local function ask(t, name, type)
  t:inject(ip{ dst = "192.0.2.53" }/udp{ sport = 4000, dport = 53 }/dns.build{ id = 7, rd = true, question = { { name = name, type = type } } })
  return dns.parse(t:expect{ udp = { sport = 53, dport = 4000 } }.payload)
end
test("names that are there, and one that is not", function(t)
  t:load "dns_server.lua"
  local a = ask(t, "www.example", "A")
  assert(a.id == 7 and a.qr and a.rcode == "NOERROR" and #a.answer == 2 and a.answer[1].data == "192.0.2.80")
  assert(ask(t, "WWW.example", "AAAA").answer[1].data == "2001:db8::80")
  assert(#ask(t, "mail.example", "AAAA").answer == 0)
  assert(ask(t, "nobody.example", "A").rcode == "NXDOMAIN")
end)
test("what is no question gets no answer", function(t)
  t:load "dns_server.lua"
  t:inject(ip{ dst = "192.0.2.53" }/udp{ sport = 4000, dport = 53 }/"no message")
  t:expect_nothing()
end)
