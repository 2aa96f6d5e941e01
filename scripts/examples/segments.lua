-- Watches a connection from the inside: every segment in and out, its numbers relative as in
-- the textbooks, with the state and the windows of our end. Every tenth is lost, to see what
-- happens then: --set lose=0 for a good day.
-- Try it:  tunscript lab segments.lua -- curl -sS -o page http://192.0.2.2/
local tcp = require "tcp"
local lose = option("lose", { default = 10, min = 0, help = "one segment in so many is lost on its way out" })
local n = 0

local function watch(conn, p, way)
  local t, ours = p.tcp, way == "out"
  local lost = false
  if ours and #p.payload > 0 then
    n = n + 1
    lost = lose > 0 and n % lose == 0
  end
  local shift = t:has("S") and 0 or ours and conn.ours or conn.theirs -- RFC 7323: not in a SYN
  log.info(("%s %-4s seq %6d ack %6d len %4d win %6d   %-12s cwnd %6d under way %6d%s"):format(
    ours and "-->" or "<--", t.flags, seqdiff(t.seq, ours and conn.iss or conn.irs or t.seq),
    t:has("A") and seqdiff(t.ack, ours and conn.irs or conn.iss) or 0, #p.payload, t.window * 2^shift,
    conn.state, conn.cwnd, seqdiff(conn.nxt, conn.una), lost and "   lost" or ""))
  return not lost
end

tcp.listen(80, function(conn)
  conn:read("*l")
  conn:write("HTTP/1.0 200 OK\r\n\r\n")
  for i = 1, 1000 do conn:write(("line %d of a page of fifty thousand bytes or so\n"):format(i)) end
end, watch)
