-- TCP in Lua: RFC 9293 with retransmission (RFC 6298), congestion control (RFC 5681,
-- with the partial acknowledgements of RFC 6582), selective acknowledgements (RFC 2018)
-- and loss told by time (RFC 8985), and window scaling (RFC 7323), but without
-- timestamps, urgent data, delayed acknowledgements and Nagle's algorithm.
--
--   local tcp = require "tcp"
--   tcp.listen(80, function(conn) ... end)       each connection in a task of its own
--   local conn, err = tcp.connect{ dst = "192.0.2.1", dport = 80 }
--   conn:read(n), conn:read("*l"), conn:read("*a"), conn:write(s), conn:close(), conn:abort()
--
-- To watch segments or to bend them, conn.on_segment = function(conn, p, way): way is "in"
-- or "out", p may be changed, and what it returns false for is lost. As the third argument
-- of listen, or as connect{ on_segment = fn }, it sees the handshake, too.
--
-- Read in this order: this file is what a script calls, and how connections begin and end;
-- tcp_receive.lua is what a segment does that comes in; tcp_send.lua is what goes out, when,
-- and again when it was lost. Segments are handled where they come in, by a handler; what
-- reads and writes is a task, and an event stands between the two. Numbers like 3.5 are
-- sections of RFC 9293. conn.state goes (3.3.2, figure 5):
--
--   connect: syn-sent ----.             close: fin-wait-1 -> fin-wait-2 -> time-wait -> closed
--                          established <               `----> closing ------^
--   listen: syn-received -'             their FIN: close-wait -- close: last-ack -> closed

local segment = tcp                                -- the builder, before the module has its name
local S = require "tcp_send"
local R = require "tcp_receive"
local Q = require "tcp_queue"
local M = {}
local Conn = {}
Conn.__index = Conn

local RTO_FIRST = 1                                -- seconds, before a round trip was measured (RFC 6298 2.1)
local BACKLOG = 256                                -- connections that have sent a SYN and no more

local conns = {}                                   -- by addresses and ports
local half_open = 0

local function key(src, sport, dst, dport) return src .. " " .. sport .. " " .. dst .. " " .. dport end

-- new makes the table that a connection is (RFC 9293 calls it the TCB, 3.3.1).
local function new(o)
  o.v6 = o.dst:find(":", 1, true) ~= nil
  o.mss = devices[o.device].mtu - (o.v6 and 60 or 40)
  o.offered = o.mss                                -- the MSS in our SYN (3.7.1)
  o.iss = math.random(0, 2^32 - 1)                 -- 3.4.1: not to be guessed
  o.una, o.nxt, o.wnd = o.iss, o.iss, 0            -- SND.UNA, SND.NXT, SND.WND
  o.rcv, o.theirs, o.ours = 0, 0, 0                -- RCV.NXT, and the shifts of both windows
  o.sent, o.head, o.tail, o.pipe = {}, 1, 0, 0     -- segments not acknowledged, and bytes of them under way
  o.out, o.got, o.early = Q.new(), Q.new(), {}     -- not sent yet; not read yet; come too early
  o.cwnd, o.ssthresh, o.dupacks = 10 * o.mss, math.huge, 0
  o.arrived = -1                                   -- when what has arrived was sent, the latest of it
  o.rto, o.tries = RTO_FIRST, 0
  o.readable, o.writable, o.opened = event(), event(), event()
  o.key = key(o.dst, o.dport, o.src, o.sport)
  conns[o.key] = o
  return setmetatable(o, Conn)
end

local function serve(c, fn)
  local ok, err = pcall(fn, c)
  c.served = true
  if ok then return c:close() end
  c:abort()
  error(err, 0)
end

-- stand is the end of the handshake.
function Conn.stand(c)
  if c.serve then half_open = half_open - 1 end
  c.state = "established"
  c.opened:set()
  if c.serve then spawn(serve, c, c.serve) end
end

-- remove ends a connection, whatever it is in; who reads or writes is told.
function Conn.remove(c, err)
  if c.gone then return end
  if c.serve and c.state == "syn-received" then half_open = half_open - 1 end
  c.gone, c.state, c.err = true, "closed", c.err or err
  conns[c.key] = nil
  if c.timer then c.timer:cancel() end
  if c.lingering then c.lingering:cancel() end
  if c.handler then c.handler:cancel() end
  c.readable:set() c.writable:set() c.opened:set()
end

-- What tasks call (3.9.1)

local function check(c)
  if getmetatable(c) ~= Conn then error("call it with a colon, as in conn:read()", 3) end
end

-- bite is the next piece of what read wants, of which it has some, and whether it is the last.
local function bite(c, what, have)
  if c.got.len == 0 then return nil, false end
  local n, last = c.got.len, false
  if what == "*l" then n, last = Q.line(c.got) elseif what ~= "*a" then n = what - have end
  local piece = Q.bite(c.got, n)
  if what ~= "*l" and what ~= "*a" then last = #piece == n end
  -- 3.8.6.2.2: the other end is told of more room when it is worth a segment.
  if not c.gone and not c.eof and S.window(c) - c.shown >= 2 * c.mss / 2^c.ours then S.acknowledge(c) end
  return piece, last
end

-- read waits for n bytes, for a line ("*l", without its end), or for all that comes ("*a").
-- At the end it gives what is left, then nil; after a reset nil and why. Read in a while,
-- not as the iterator of a for: Lua 5.1 cannot wait in one.
function Conn.read(c, what)
  check(c)
  what = what or "*l"
  if what ~= "*l" and what ~= "*a" and (type(what) ~= "number" or what < 0) then
    error("read: want a number of bytes, \"*l\" or \"*a\"", 2)
  end
  local parts, have, done = {}, 0, what == 0
  while not done do
    local piece
    piece, done = bite(c, what, have)
    if piece then
      parts[#parts + 1], have = piece, have + #piece
    elseif c.err then
      return nil, c.err
    elseif c.eof or c.gone then
      if have == 0 and what ~= "*a" then return nil end
      break
    else
      c.readable:wait()
    end
  end
  local s = table.concat(parts)
  if what == "*l" and done then s = s:gsub("\r?\n$", "") end
  return s
end

local function flush(c)
  c.flushing = nil
  if not c.gone then S.output(c) end
end

-- write takes s, and waits while more than S.SEND bytes are not sent. What a task writes
-- before it waits shares segments: there is no Nagle's algorithm (3.7.4) to do that later.
function Conn.write(c, s)
  check(c)
  if type(s) ~= "string" then error("write: want a string", 2) end
  if c.err then return nil, c.err end
  if c.closing or not S.may_send(c) then return nil, "the connection is closed" end
  Q.push(c.out, s)
  if not c.flushing then c.flushing = after(0, flush, c) end
  while c.out.len > S.SEND and not c.gone do c.writable:wait() end
  if c.err then return nil, c.err end
  return true
end

-- close sends what was written and then FIN (3.6); what comes can be read on.
function Conn.close(c)
  check(c)
  if c.closing or c.gone then return end
  c.closing = true
  S.output(c)
end

-- abort ends it at once, with RST (3.9.1.5, 3.10.5).
function Conn.abort(c)
  check(c)
  if c.gone then return end
  if c.state ~= "syn-sent" and c.state ~= "time-wait" then S.emit(c, "RA", c.nxt) end
  c:remove("aborted")
end

-- Opening (3.5)

-- call sends the first segment of a connection, which is sent again like any other.
local function call(c, flags, scale, selective)
  S.transmit(c, flags, nil, 1, { mss = c.offered, wscale = scale and S.SCALE or nil, sack_permitted = selective })
  S.arm(c)
end

-- accept answers a SYN (3.10.7.2); what we can do that they cannot is not offered.
local function accept(p, fn, watch)
  local t = p.tcp
  if half_open >= BACKLOG then return end
  half_open = half_open + 1
  local c = new{ src = p.ip.dst, sport = t.dport, dst = p.ip.src, dport = t.sport, device = p.device,
    state = "syn-received", serve = fn, on_segment = watch }
  if watch and watch(c, p, "in") == false then return c:remove() end
  R.learn(c, t)
  call(c, "SA", t.options.wscale, c.selective)
end

-- input finds whose segment it is; one of nobody's gets an RST (3.10.7.1), which p:rst()
-- does not make for an RST.
local function input(p, fn, watch)
  local t = p.tcp
  local c = conns[key(p.ip.src, t.sport, p.ip.dst, t.dport)]
  if c then
    R.segment(c, p)
  elseif fn and t:has("S") and not t:has("A") and not t:has("R") then
    accept(p, fn, watch)
  else
    return p:rst()
  end
  return "drop", "tcp"
end

-- listen serves a port, whatever address is asked for. The handle's :cancel() ends it,
-- for new connections and for those that stand.
function M.listen(port, fn, watch)
  if type(port) ~= "number" or port < 1 or port > 65535 or port % 1 ~= 0 or type(fn) ~= "function" then
    error("tcp.listen: want a port from 1 to 65535 and a function, as in tcp.listen(80, function(conn) ... end)", 2)
  end
  return on{ "tcp dst port " .. port, name = "tcp " .. port, prio = -1, run = function(p) return input(p, fn, watch) end }
end

local known = { dst = true, dport = true, src = true, sport = true, device = true, timeout = true, on_segment = true }

-- connect waits until the connection stands; nil and why where it does not.
function M.connect(o)
  if type(o) ~= "table" or not o.dst or not o.dport then error("tcp.connect: want { dst =, dport = }", 2) end
  for k in pairs(o) do
    if not known[k] then
      error(("tcp.connect: there is no %q: there are dst, dport, src, sport, device, timeout and on_segment"):format(tostring(k)), 2)
    end
  end
  local way = ip{ src = o.src, dst = o.dst }       -- where it would come from, and leave
  local c = new{ src = way.ip.src, sport = o.sport or math.random(32768, 60999), dst = way.ip.dst, dport = o.dport,
    device = o.device or way.out, state = "syn-sent", on_segment = o.on_segment }
  c.handler = on{ ("tcp src port %d and dst port %d"):format(c.dport, c.sport), name = "tcp " .. c.sport, prio = -1,
    run = function(p)
      if p.ip.src == c.dst and p.ip.dst == c.src then return input(p) end
    end }
  call(c, "S", true, true)
  c.opened:wait(o.timeout or 30)
  if c.state == "syn-sent" or c.state == "syn-received" then c:abort() c.err = "timed out" end
  if c.err then return nil, c.err end
  return c
end

return setmetatable(M, { __call = function(_, fields) return segment(fields) end })
