local test = require "test"
test("two seconds after the start it is gone for one", function(t)
  t:load("flaky.lua", { pair = true })
  local function through(n)
    local got = 0
    for i = 1, n do t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = i, dport = 9 }) end
    t:advance(0.9)
    while pcall(t.expect, t, "udp") do got = got + 1 end
    return got
  end
  local before = through(100)
  t:advance(1.2)
  local gone = through(100)
  t:advance(0.2)
  local after = through(100)
  assert(before > 50 and after > 50, before .. " and " .. after)
  assert(gone == 0, gone)
end)
