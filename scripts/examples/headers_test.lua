local test = require "test"
test("printing changes nothing", function(t)
  t:load("headers.lua", { pair = true })
  local syn = ip{ dst = "192.0.2.2" }/tcp{ dport = 80, options = { mss = 1460 } }
  t:inject(syn)
  assert(t:expect("tcp"):bytes() == syn:bytes())
end)
