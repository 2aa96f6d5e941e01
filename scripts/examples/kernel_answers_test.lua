local test = require "test"
test("each address is asked for in turn, with or without an answer", function(t)
  t:load "kernel_answers.lua"
  t:advance(1)
  for _, dst in ipairs{ "192.0.2.1", "2001:db8::1" } do
    local echo = t:expect{ ip = { dst = dst } }
    t:inject(echo:reply())
  end
  t:expect({ ip = { dst = "198.51.100.1" } }, 1)
  t:expect({ ip = { dst = "198.51.100.2" } }, 1)
end)
