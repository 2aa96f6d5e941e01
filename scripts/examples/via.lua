-- Adds a header to every HTTP request and answer on port 80 that goes through. What is
-- longer moves TCP's sequence numbers, one way those of the data, the other way those of
-- the acknowledgements, for as long as the connection lives.
-- Try it:  tunscript lab --pair --server 'exec socat TCP-LISTEN:80,fork EXEC:cat' via.lua -- sh -c 'sleep 0.3; printf "GET / HTTP/1.0\r\nHost: a\r\n" | socat -t2 - TCP:192.0.2.2:80'
local header = "Via: 1.1 tunscript\r\n"
local other = { forward = "back", back = "forward" }

-- Of a direction we know `next`, up to where its first line has been looked for, and then
-- `at`, where the header goes in: in front of that byte, each time that it comes by.
local function data(way, p)
  local text = p.payload
  if not way.at and #text > 0 then
    local seen = seqdiff(way.next, p.tcp.seq)
    if seen < 0 then return "drop", "the first line comes first" end  -- this one comes again
    local _, stop = text:find("\n", seen + 1, true)
    if stop then
      way.at = (p.tcp.seq + stop) % 2^32
    elseif #text > seen then
      way.next = (p.tcp.seq + #text) % 2^32
    end
  end
  local before = way.at and seqdiff(way.at, p.tcp.seq)
  if not before or before > #text then return end
  if before > 0 then
    p.payload = text:sub(1, before) .. header .. text:sub(before + 1)
  else
    p.tcp.seq = (p.tcp.seq + #header) % 2^32
  end
end

-- Who has not got all of the header is to get it again: with the byte in front of it.
local function ack(way, p)
  local past = way.at and seqdiff(p.tcp.ack, way.at)
  if not past or past < 0 then return end
  p.tcp.ack = past < #header and (way.at - 1) % 2^32 or (p.tcp.ack - #header) % 2^32
end

on("tcp port 80", function(p)
  local flow = p.flow
  local here, there = flow[flow.dir], flow[other[flow.dir]]
  if p.tcp:has("S") then
    p.tcp.options.sack_permitted = nil  -- blocks of it would have to move, too
    if not here or here.syn ~= p.tcp.seq then
      here = { syn = p.tcp.seq, next = (p.tcp.seq + 1) % 2^32 }
      flow[flow.dir] = here
    end
  elseif here then
    local verdict, reason = data(here, p)
    if verdict then return verdict, reason end
  end
  if there and p.tcp:has("A") then ack(there, p) end
end)
