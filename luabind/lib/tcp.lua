-- TCP in Lua: RFC 9293 with retransmission (RFC 6298), congestion control (RFC 5681,
-- with the partial acknowledgements of RFC 6582), selective acknowledgements (RFC 2018)
-- and loss told by time (RFC 8985), and window scaling (RFC 7323), but without
-- timestamps and urgent data.
--
--   local tcp = require "tcp"
--   tcp.listen(80, function(conn) ... end)       each connection in a task of its own
--   local conn, err = tcp.connect{ dst = "192.0.2.1", dport = 80 }
--   conn:read(n), conn:read("*l"), conn:read("*a"), conn:write(s), conn:close(), conn:abort()
--
-- Segments are handled where they come in, by a handler; what reads and writes is a task,
-- and an event stands between the two. conn.on_segment(conn, p), if set, sees every
-- segment first; what it returns false for is ignored. Read in a while, not as the iterator
-- of a for: Lua 5.1 cannot wait in one.

local segment = tcp                                -- the builder, before the module has its name
local S = require "tcp_send"
local emit, acknowledge, arm, transmit, output = S.emit, S.acknowledge, S.arm, S.transmit, S.output
local RECEIVE, SEND, SCALE = S.RECEIVE, S.SEND, S.SCALE
local M = {}
local Conn = {}
Conn.__index = Conn

local RTO_FIRST = 1                                -- seconds, before a round trip was measured
local TIME_WAIT = 2                                -- seconds; 2 MSL are minutes (3.4.2), here nobody waits for them
local BACKLOG = 256                                -- connections that have sent a SYN and no more

local conns = {}                                   -- by addresses and ports
local half_open = 0

local function key(src, sport, dst, dport) return src .. " " .. sport .. " " .. dst .. " " .. dport end

local function new(o)
  local device = devices[o.device]
  o.mss = device.mtu - (o.dst:find(":", 1, true) and 60 or 40)
  o.iss = math.random(0, 2^32 - 1)                 -- 3.4.1
  o.una, o.nxt, o.wnd = o.iss, o.iss, 0            -- 3.3.1: SND.UNA, SND.NXT, SND.WND
  o.rcv, o.theirs, o.ours = 0, 0, 0                -- RCV.NXT, and the shifts of both windows
  o.sent, o.head, o.tail, o.pipe = {}, 1, 0, 0     -- segments not acknowledged, and bytes of them under way
  o.out, o.outlen = {}, 0                          -- what was written and not sent
  o.got, o.gotlen, o.early = {}, 0, {}             -- what was received and not read, and what came too early
  o.cwnd, o.ssthresh, o.dupacks = 10 * o.mss, math.huge, 0
  o.arrived = -1                                   -- when what has arrived was sent, the latest of it
  o.rto, o.tries = RTO_FIRST, 0
  o.readable, o.writable, o.opened = event(), event(), event()
  o.key = key(o.dst, o.dport, o.src, o.sport)
  conns[o.key] = o
  return setmetatable(o, Conn)
end

-- remove ends a connection, whatever it is in; who reads or writes is told.
function Conn.remove(c, err)
  if c.gone then return end
  if c.state == "syn-received" then half_open = half_open - 1 end
  c.gone, c.state, c.err = true, "closed", c.err or err
  conns[c.key] = nil
  if c.timer then c.timer:cancel() end
  if c.handler then c.handler:cancel() end
  c.readable:set() c.writable:set() c.opened:set()
end

-- Receiving

local function deliver(c, data)
  c.got[#c.got + 1] = data
  c.gotlen = c.gotlen + #data
  c.rcv = (c.rcv + #data) % 2^32
  c.readable:set()
end

-- receive puts data in its place, or keeps it until what is missing has come.
local function receive(c, seq, data)
  c.owes = true
  local late = seqdiff(c.rcv, seq)
  if late > 0 then data = data:sub(late + 1) end
  if data == "" then return end
  if late < 0 then
    if -late < RECEIVE and #c.early < 256 then
      c.early[#c.early + 1] = { seq = seq, data = data }
    end
    return
  end
  if #data > RECEIVE - c.gotlen then data = data:sub(1, math.max(RECEIVE - c.gotlen, 0)) end
  if data ~= "" then deliver(c, data) end
  local again = #c.early > 0
  while again do
    again = false
    for i = #c.early, 1, -1 do
      local e = c.early[i]
      local d = seqdiff(c.rcv, e.seq)
      if d >= 0 then
        table.remove(c.early, i)
        if d < #e.data and #e.data - d <= RECEIVE - c.gotlen then
          deliver(c, e.data:sub(d + 1))
          again = true
        end
      end
    end
  end
end

-- finished is the peer's FIN in its turn.
local function finished(c)
  c.rcv, c.eof, c.owes = (c.rcv + 1) % 2^32, true, true
  c.readable:set()
  if c.state == "established" then c.state = "close-wait"
  elseif c.state == "fin-wait-1" then c.state = "closing"
  elseif c.state == "fin-wait-2" then c.state = "time-wait" end
end

local function run(c, fn)
  local ok, err = pcall(fn, c)
  if ok then return c:close() end
  c:abort()
  error(err, 0)
end

-- establish ends the handshake.
local function establish(c)
  if c.state == "syn-received" then half_open = half_open - 1 end
  c.state = "established"
  c.opened:set()
  if c.serve then spawn(run, c, c.serve) end
end

-- learn reads the options of a SYN.
local function learn(c, t)
  local o = t.options
  c.rcv = (t.seq + 1) % 2^32
  c.mss = math.min(c.mss, math.max(o.mss or 536, 64))          -- 3.7.1
  c.selective = o.sack_permitted
  if o.wscale then c.theirs, c.ours = math.min(o.wscale, 14), SCALE end
  c.cwnd = math.min(10 * c.mss, c.cwnd)
end

-- opening is a segment before the connection stands.
local function opening(c, t)
  if t:has("R") then
    if c.state ~= "syn-sent" or t:has("A") and t.ack == c.nxt then c:remove("refused") end
    return false
  end
  if c.state == "syn-sent" then                    -- 3.10.7.3
    if not t:has("S") then return false end
    learn(c, t)
    if not t:has("A") then                         -- both at once: 3.5, figure 7
      c.state = "syn-received"
      half_open = half_open + 1
      c.sent[c.head].flags = "SA"
      emit(c, "SA", c.iss, nil, c.sent[c.head].options)
      return false
    end
    if t.ack ~= c.nxt then return false end
    c.wnd = t.window
    S.acknowledged(c, t.ack)
    establish(c)
    acknowledge(c)
    return false
  end
  if t:has("S") then                               -- our SYN-ACK was lost: once more
    emit(c, "SA", c.iss, nil, c.sent[c.head].options)
    return false
  end
  if not t:has("A") or t.ack ~= c.nxt then return false end
  c.wnd = t.window * 2^c.theirs
  S.acknowledged(c, t.ack)
  establish(c)
  return true                                      -- it may carry data
end

-- segment is 3.10.7.4: a segment of a connection that stands, or is ending.
function Conn.segment(c, p)
  if c.on_segment and c.on_segment(c, p) == false then return end
  local t, data = p.tcp, p.payload
  if c.state == "syn-sent" or c.state == "syn-received" then
    if not opening(c, t) then return end
  end
  local ahead = seqdiff(t.seq, c.rcv)
  if t:has("R") then
    if ahead == 0 then c:remove("reset by the other end") end -- RFC 5961 3.2: exactly, or not at all
    return
  end
  if t:has("S") or ahead >= RECEIVE then return acknowledge(c) end
  if not t:has("A") then return end
  if seqdiff(t.ack, c.nxt) > 0 then return acknowledge(c) end
  local wnd = t.window * 2^c.theirs
  local passed = seqdiff(t.ack, c.una)
  if passed > 0 then
    S.acknowledged(c, t.ack)
  elseif passed == 0 and data == "" and not t:has("F") and c.head <= c.tail and wnd == c.wnd and not c.selective then
    S.duplicate(c)
  end
  if c.selective and c.head <= c.tail then
    local list = t.options.sack
    if list then S.selected(c, list) end
  end
  if passed >= 0 then c.wnd = wnd end
  if c.head > c.tail and c.outlen == 0 then
    if c.state == "fin-wait-1" then c.state = "fin-wait-2"
    elseif c.state == "closing" then c.state = "time-wait"
    elseif c.state == "last-ack" then return c:remove() end
  end
  if data ~= "" then receive(c, t.seq, data) end
  if t:has("F") then c.fin = (t.seq + #data) % 2^32 c.owes = true end
  if c.fin == c.rcv and not c.eof then finished(c) end
  output(c)
  if c.owes then acknowledge(c) end
  if c.state == "time-wait" and not c.ending then
    c.ending = true
    after(TIME_WAIT, c.remove, c)
  end
end

-- What tasks call

local function check(c)
  if getmetatable(c) ~= Conn then error("call it with a colon, as in conn:read()", 3) end
end

-- gather makes one string of what has come.
local function gather(c)
  if #c.got > 1 then c.got = { table.concat(c.got) } end
  return c.got[1] or ""
end

local function consume(c, s, n)
  c.got = { s:sub(n + 1) }
  c.gotlen = c.gotlen - n
  if not c.gone and S.window(c) - c.shown >= 2 * c.mss / 2^c.ours and not c.eof then acknowledge(c) end -- 3.8.6.2.2
end

-- read waits for n bytes, for a line ("*l", without its end), or for all that comes
-- ("*a"). At the end it gives what is left, then nil; after a reset nil and why.
function Conn.read(c, what)
  check(c)
  what = what or "*l"
  local parts = {}
  while true do
    if what == "*a" then
      if c.gotlen > 0 then
        local s = gather(c)
        parts[#parts + 1] = s
        consume(c, s, #s)
      end
    elseif what == "*l" then
      local s = gather(c)
      local at = s:find("\n", 1, true)
      if at then
        consume(c, s, at)
        return (s:sub(1, at - 1):gsub("\r$", ""))
      end
    elseif type(what) ~= "number" or what < 0 then
      error("read: want a number of bytes, \"*l\" or \"*a\"", 2)
    elseif c.gotlen >= what then
      local s = gather(c)
      consume(c, s, what)
      return s:sub(1, what)
    end
    if c.err then return nil, c.err end
    if c.eof or c.gone then
      if what == "*a" then return table.concat(parts) end
      if c.gotlen == 0 then return nil end
      local s = gather(c)
      consume(c, s, #s)
      return s
    end
    c.readable:wait()
  end
end

-- write waits while more than SEND bytes are not sent.
function Conn.write(c, s)
  check(c)
  if type(s) ~= "string" then error("write: want a string", 2) end
  if c.err then return nil, c.err end
  if c.closing or not S.may_send(c) then return nil, "the connection is closed" end
  if s ~= "" then
    c.out[#c.out + 1] = s
    c.outlen = c.outlen + #s
    output(c)
  end
  while c.outlen > SEND and not c.gone do c.writable:wait() end
  if c.err then return nil, c.err end
  return true
end

-- close sends what was written and then FIN; what comes can be read on.
function Conn.close(c)
  check(c)
  if c.closing or c.gone then return end
  c.closing = true
  output(c)
end

-- abort ends it at once, with RST (3.10.5).
function Conn.abort(c)
  check(c)
  if c.gone then return end
  if c.state ~= "syn-sent" and c.state ~= "time-wait" then emit(c, "RA", c.nxt) end
  c:remove("aborted")
end

-- Opening

local function accept(p, fn)
  local t = p.tcp
  if half_open >= BACKLOG then return end
  half_open = half_open + 1
  local c = new{ src = p.ip.dst, sport = t.dport, dst = p.ip.src, dport = t.sport, device = p.device, state = "syn-received", serve = fn }
  learn(c, t)
  transmit(c, "SA", nil, 1, { mss = devices[c.device].mtu - (c.dst:find(":", 1, true) and 60 or 40), wscale = t.options.wscale and SCALE or nil, sack_permitted = c.selective })
  arm(c)
end

local function input(p, fn)
  local t = p.tcp
  local c = conns[key(p.ip.src, t.sport, p.ip.dst, t.dport)]
  if c then
    c:segment(p)
  elseif fn and t:has("S") and not t:has("A") and not t:has("R") then
    accept(p, fn)
  else
    return p:rst()
  end
  return "drop", "tcp"
end

-- listen serves a port, whatever address is asked for. The handle's :cancel() ends it,
-- for new connections and for those that stand.
function M.listen(port, fn)
  if type(fn) ~= "function" then error("tcp.listen: want a port and a function", 2) end
  return on{ "tcp dst port " .. port, name = "tcp " .. port, prio = -1, run = function(p) return input(p, fn) end }
end

local function known(o, names)
  for k in pairs(o) do
    if not names[k] then error(("tcp.connect: there is no %q: there are dst, dport, src, sport, device and timeout"):format(tostring(k)), 3) end
  end
end

-- connect waits until the connection stands; nil and why where it does not.
function M.connect(o)
  if type(o) ~= "table" or not o.dst or not o.dport then error("tcp.connect: want { dst =, dport = }", 2) end
  known(o, { dst = true, dport = true, src = true, sport = true, device = true, timeout = true })
  local probe = ip{ src = o.src, dst = o.dst }
  local c = new{ src = probe.ip.src, sport = o.sport or math.random(32768, 60999), dst = probe.ip.dst, dport = o.dport,
    device = o.device or probe.out, state = "syn-sent" }
  c.handler = on{ ("tcp src port %d and dst port %d"):format(c.dport, c.sport), name = "tcp " .. c.sport, prio = -1,
    run = function(p)
      if p.ip.src == c.dst and p.ip.dst == c.src then return input(p) end
    end }
  transmit(c, "S", nil, 1, { mss = c.mss, wscale = SCALE, sack_permitted = true })
  arm(c)
  c.opened:wait(o.timeout or 30)
  if c.state == "syn-sent" or c.state == "syn-received" then c:abort() c.err = "timed out" end
  if c.err then return nil, c.err end
  return c
end

return setmetatable(M, { __call = function(_, fields) return segment(fields) end })
