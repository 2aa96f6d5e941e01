-- Ten packets a second for each source, and twenty at once: a token bucket in a
-- dictionary that outlives a reload.
-- Try it:  tunscript lab --pair rate_limit.lua -- ping -f -c 200 192.0.2.2
local rate = option("rate", { default = 10, min = 0, help = "packets a second from one source" })
local burst = option("burst", { default = 20, min = 1, help = "packets at once" })
on("ip or ip6", function(p)
  local src, at = p.ip.src, now()
  local left = shared.tokens:get(src) or burst
  local since = at - (shared.stamps:get(src) or at)
  left = math.min(left + since * rate, burst)
  shared.stamps:set(src, at, 60)
  if left < 1 then
    shared.tokens:set(src, left, 60)
    return "drop", "too fast"
  end
  shared.tokens:set(src, left - 1, 60)
end)
