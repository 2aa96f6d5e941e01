local test = require "test"
test("both ends get a reset", function(t)
  t:load("reset.lua", { pair = true })
  t:inject(ip{ dst = "192.0.2.2" }/tcp{ sport = 4000, dport = 80, flags = "PA", seq = 100, ack = 500 }/"GET /secret HTTP/1.0")
  t:expect{ ip = { dst = "192.0.2.1" }, tcp = { flags = "R", seq = 500 } }
  t:expect{ ip = { dst = "192.0.2.2" }, tcp = { flags = "R", seq = 100 }, payload_is = "" }
  t:inject(ip{ dst = "192.0.2.2" }/tcp{ sport = 4000, dport = 80, flags = "PA", seq = 100, ack = 500 }/"GET /public HTTP/1.0")
  t:expect{ payload = "public" }
  t:expect_nothing()
end)
