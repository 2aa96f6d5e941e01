-- A bad link between two hosts: loses some packets and delays the others by 20 to
-- 50 ms, so that they overtake each other. Replayed, the same seed loses the same.
-- Try it:  tunscript lab --pair --set loss=0.3 lossy.lua -- ping -c 20 -i 0.05 192.0.2.2
local loss = option("loss", { default = 0.1, min = 0, max = 1, help = "share of the packets that are lost" })
on(function(p)
  if math.random() < loss then return "drop", "lost" end
  after(0.02 + 0.03 * math.random(), send, p:copy())
  return "drop", "delayed"
end)
