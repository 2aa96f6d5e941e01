local test = require "test"
local tcp = require "tcp"
test("a cat that leaves the server is a horse for the client", function(t)
  t:load("horse.lua", { pair = true })
  tcp.listen(80, function(conn)                    -- the server, on the far side
    conn:write("you want a " .. conn:read("*l") .. "\nmy cat is a cat\n")
  end)
  local conn = assert(tcp.connect{ dst = "192.0.2.2", dport = 80, device = "tun0.wire" })
  conn:write("cat\n")
  assert(conn:read("*a") == "you want a horse\nmy horse is a horse\n")
end)
