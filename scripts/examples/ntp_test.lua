local test = require "test"
test("the answer quotes the client's time and says ours", function(t)
  t:load("ntp.lua", { options = { offset = 60 } })
  local stamp = hex"0102030405060708"
  t:inject(ip{ dst = "192.0.2.123" }/udp{ sport = 4000, dport = 123 }/(string.char(0x23) .. ("\0"):rep(39) .. stamp))
  local a = t:expect{ udp = { sport = 123, dport = 4000 } }.payload
  local head, seconds = string.unpack("B", a), string.unpack("I4", a, 41)
  assert(#a == 48 and head == 0x24 and a:sub(25, 32) == stamp)
  assert(math.abs(seconds - (now() + 60 + 2208988800) % 2^32) < 1)
  t:inject(ip{ dst = "192.0.2.123" }/udp{ sport = 4000, dport = 123 }/"short")
  t:expect_nothing()
end)
