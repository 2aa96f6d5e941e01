-- A web server at every address, on the TCP that ships as a module: it says who asks, for
-- what, and how the connection is doing. http_by_hand.lua does the same without the module.
-- Try it:  tunscript lab web.lua -- curl -sS http://192.0.2.2/hello
local tcp = require "tcp"
tcp.listen(80, function(conn)
  local request = conn:read("*l") or ""
  local line = conn:read("*l")
  while line and line ~= "" do line = conn:read("*l") end -- the headers
  local method, path = request:match("^(%u+) (%S+)")
  local page = ("%s %s from %s:%d, round trip %.3f ms, mss %d\n"):format(
    method or "nothing", path or "", conn.dst, conn.dport, (conn.srtt or 0) * 1000, conn.mss)
  conn:write(("HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n"):format(#page) .. page)
end)
