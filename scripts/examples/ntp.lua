-- An NTP server (RFC 5905) at every address, whose clock is as wrong as you like.
-- Try it:  tunscript lab --set offset=3600 ntp.lua -- ntpdig 192.0.2.123
local offset = option("offset", { default = 0.0, help = "seconds that the clock goes ahead" })

-- stamp is 7.3.3's: seconds since 1900, and their fraction, 32 bits each.
local function stamp(t)
  t = t + 2208988800 + offset
  return string.pack("I4I4", math.floor(t) % 2^32, math.floor(t % 1 * 2^32))
end

on("udp dst port 123", function(p)
  local q = p.payload
  local version, mode = bit32.extract(q:byte() or 0, 3, 3), bit32.extract(q:byte() or 0, 0, 3)
  if #q < 48 or mode ~= 3 then return "drop", "no question of a client" end
  local head = string.pack("BBbbI4I4", version * 8 + 4, 1, 6, -20, 0, 0) -- server, stratum 1, about a microsecond
  local here = stamp(p.time)
  return p:reply{ payload = head .. "GPS\0" .. here .. q:sub(41, 48) .. here .. stamp(now()) }
end)
