local test = require "test"
test("who sends the cookie back may try again", function(t)
  t:load("syn_cookie.lua", { pair = true })
  local syn = ip{ dst = "192.0.2.2" }/tcp{ sport = 4000, dport = 80, flags = "S", seq = 7 }
  t:inject(syn)
  local sa = t:expect{ ip = { dst = "192.0.2.1" }, tcp = { flags = "SA", ack = 8 } }
  t:inject(sa:reply{ tcp = { flags = "A", ack = sa.tcp.seq + 2 } })
  t:expect_nothing()                               -- a guess is not enough
  t:inject(sa:reply())
  t:expect{ ip = { dst = "192.0.2.1" }, tcp = { has = "R" } }
  t:inject(syn)
  t:expect{ ip = { dst = "192.0.2.2" }, tcp = { flags = "S", seq = 7 } }
end)
test("a flood from forged addresses reaches nobody", function(t)
  t:load("syn_cookie.lua", { pair = true })
  for i = 1, 200 do
    t:inject(ip{ src = "198.51.100." .. i, dst = "192.0.2.2" }/tcp{ sport = i, dport = 80, flags = "S" })
    t:expect{ ip = { dst = "198.51.100." .. i }, tcp = { flags = "SA" } }
  end
  t:expect_nothing()
end)
