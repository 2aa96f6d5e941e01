-- Turns every "cat" on port 80 between two hosts into a "horse": each connection ends
-- here and goes on as one of our own, so that TCP's numbers need no care.
-- Try it:  tunscript lab --pair --server 'exec socat TCP-LISTEN:80,fork SYSTEM:"read line; echo my cat is a cat"' horse.lua -- sh -c 'sleep 0.3; echo | socat -t2 - TCP:192.0.2.2:80'
local tcp = require "tcp"
local function pump(from, to, change)
  local line = from:read("*l")
  while line do
    to:write(change(line) .. "\n")
    line = from:read("*l")
  end
  to:close()
end
tcp.listen(80, function(near)
  local far = tcp.connect{ src = near.dst, dst = near.src, dport = near.sport, device = "tun1" }
  if not far then return near:abort() end
  spawn(pump, near, far, function(line) return line end)
  pump(far, near, function(line) return (line:gsub("cat", "horse")) end)
end)
