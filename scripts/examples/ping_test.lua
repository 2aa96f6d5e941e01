local test = require "test"
test("a ping is answered, over IPv4 and IPv6", function(t)
  t:load "ping.lua"
  for _, dst in ipairs{ "192.0.2.2", "2001:db8::77" } do
    local echo = ip{ dst = dst }/(dst:find(":") and icmp6 or icmp){ id = 7, seq = 3 }/"hello"
    t:inject(echo)
    local answer = t:expect{ ip = { src = dst }, payload_is = "hello" }
    assert((answer.icmp or answer.icmp6).id == 7 and (answer.icmp or answer.icmp6).seq == 3)
  end
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 2 })
  t:expect_nothing()
end)
