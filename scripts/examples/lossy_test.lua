local test = require "test"
test("some are lost, the others late", function(t)
  t:option("loss", 0.3)
  t:load("lossy.lua", { pair = true })
  for i = 1, 200 do t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = i, dport = 9 }) end
  t:advance(0.0199)
  t:expect_nothing()
  t:advance(0.0302)
  local n = 0
  while pcall(t.expect, t, "udp") do n = n + 1 end
  assert(n > 110 and n < 170, n)
end)
test("without loss all come, in another order", function(t)
  t:load("lossy.lua", { pair = true, options = { loss = 0 } })
  for i = 1, 20 do t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = i, dport = 9 }) end
  t:advance(0.051)
  local order = {}
  for i = 1, 20 do order[i] = t:expect("udp").udp.sport end
  local sorted = { unpack(order) }
  table.sort(sorted)
  assert(table.concat(order, " ") ~= table.concat(sorted, " ") and sorted[20] == 20)
end)
