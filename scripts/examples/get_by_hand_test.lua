local test = require "test"
test("asks again after a reset, then fetches a page", function(t)
  t:load "get_by_hand.lua"
  local syn = t:expect({ tcp = { flags = "S", dport = 80 } }, 1)
  t:inject(syn:rst())
  syn = t:expect({ tcp = { flags = "S", dport = 80 } }, 1)
  t:inject(syn:reply{ tcp = { seq = 500 } })
  t:expect{ tcp = { flags = "A", ack = 501 } }
  local get = t:expect{ payload = "^GET / HTTP/1.0" }
  local late = get:reply{ tcp = { flags = "FPA", seq = 506 }, payload = "world" }
  t:inject(late)                                   -- out of order: it is waited for
  t:inject(get:reply{ tcp = { flags = "PA", seq = 501 }, payload = "hello" })
  t:expect{ tcp = { ack = 506 } }
  t:inject(late)
  local fin = t:expect{ tcp = { flags = "FA", ack = 512 } }
  t:inject(fin:reply())
end)
