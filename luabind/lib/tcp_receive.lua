-- The receiving side of tcp.lua: what a segment does to a connection. The order of steps is
-- that of RFC 9293 3.10.7, "SEGMENT ARRIVES", and numbers like 3.4 below are its sections.
-- A connection c is a table of tcp.lua's; c:remove(err) ends it, c:stand() begins it.

local S = require "tcp_send"
local Q = require "tcp_queue"
local R = {}

local TIME_WAIT = 2                                -- seconds; 2 MSL are minutes (3.4.2), here nobody waits for them
local FIN_WAIT = 60                                -- seconds that a peer has for its FIN when nobody reads any more
local EARLY = 256                                  -- segments kept that came too early

-- learn reads the options of the other end's SYN (3.7.1; RFC 7323 2.2; RFC 2018 2).
function R.learn(c, t)
  local o = t.options
  c.irs, c.rcv = t.seq, (t.seq + 1) % 2^32
  c.mss = math.min(c.mss, math.max(o.mss or (c.v6 and 1220 or 536), 64))
  c.cwnd = math.min(10 * c.mss, c.cwnd)            -- RFC 6928
  c.selective = o.sack_permitted
  if o.wscale then c.theirs, c.ours = math.min(o.wscale, 14), S.SCALE end -- scaled both ways, or not at all
end

-- SYN-SENT (3.10.7.3): the answer to our SYN.
local function syn_sent(c, p)
  local t = p.tcp
  if t:has("A") and t.ack ~= c.nxt then            -- about a connection that we know nothing of
    if not t:has("R") then send(p:rst(), c.device) end
    return
  end
  if t:has("R") then
    if t:has("A") then c:remove("refused") end
    return
  end
  if not t:has("S") then return end
  R.learn(c, t)
  if not t:has("A") then                           -- both called at once (3.5, figure 7): our SYN, as SYN-ACK
    c.state = "syn-received"
    c.sent[c.head].flags = "SA"
    return S.again(c, c.sent[c.head])
  end
  c.wnd, c.wl1, c.wl2 = t.window, t.seq, t.ack     -- not scaled yet
  S.acknowledged(c, t.ack)
  c:stand()
  S.acknowledge(c)
  S.output(c)
end

-- A SYN in SYN-RECEIVED: the one we had, because our SYN-ACK was lost, or the SYN-ACK of
-- one who called when we did.
local function syn_again(c, t)
  if not t:has("A") then return S.again(c, c.sent[c.head]) end
  if t.ack ~= c.nxt then return end
  c.wnd, c.wl1, c.wl2 = t.window, t.seq, t.ack
  S.acknowledged(c, t.ack)
  c:stand()
  S.acknowledge(c)
end

-- acceptable is the test of 3.4, table 6: does the segment begin or end in our window?
-- What is next always is, so that with a window of 0 its acknowledgement and RST count.
local function acceptable(c, seq, len)
  local space = S.space(c)
  local first = seqdiff(seq, c.rcv)
  local last = first + math.max(len - 1, 0)
  return first == 0 or first > 0 and first < space or last >= 0 and last < space and len > 0
end

-- acknowledgement is the fifth step: what the other end has got, and how much more it takes.
local function acknowledgement(c, t, data)
  local wnd = t.window * 2^c.theirs
  local passed = seqdiff(t.ack, c.una)
  if passed > 0 then
    S.acknowledged(c, t.ack)
  elseif passed == 0 and data == "" and not t:has("F") and S.under_way(c) and wnd == c.wnd and wnd > 0 and not c.selective then
    S.duplicate(c)                                 -- RFC 5681 2: nothing in it but that something is missing
  end
  if c.selective and S.under_way(c) then
    local list = t.options.sack
    if list then S.selected(c, list) end
  end
  -- The window of a segment that is older than the one which told us last does not count.
  local newer = seqdiff(t.seq, c.wl1)
  if passed >= 0 and (newer > 0 or newer == 0 and seqdiff(t.ack, c.wl2) >= 0) then
    local opened = c.wnd == 0 and wnd > 0
    c.wnd, c.wl1, c.wl2 = wnd, t.seq, t.ack
    if opened then S.opened(c) end
    if wnd == 0 then c.tries = 0 end               -- 3.8.6.1: who answers probes may keep us waiting for ever
  end
end

local function deliver(c, data)
  data = data:sub(1, math.max(S.space(c), 0))
  Q.push(c.got, data)
  c.rcv = (c.rcv + #data) % 2^32
  if data ~= "" then c.readable:set() end
end

-- keep puts what came too early in its place among the rest of it.
local function keep(c, seq, data)
  local at = 1
  while c.early[at] and seqdiff(c.early[at].seq, seq) < 0 do at = at + 1 end
  local there = c.early[at]
  if there and there.seq == seq and #there.data >= #data or #c.early >= EARLY then return end
  table.insert(c.early, at, { seq = seq, data = data })
end

-- text is the seventh step: data in its turn goes to the reader, and with it what has
-- been waiting for it; data out of turn is kept.
local function text(c, seq, data)
  c.owes = true
  local ahead = seqdiff(seq, c.rcv)
  if ahead > 0 then return keep(c, seq, data) end
  deliver(c, data:sub(-ahead + 1))                 -- without what we have already
  while c.early[1] and seqdiff(c.early[1].seq, c.rcv) <= 0 do
    local e = table.remove(c.early, 1)
    deliver(c, e.data:sub(seqdiff(c.rcv, e.seq) + 1))
  end
end

-- fin is the eighth step: the other end has sent all it has.
local function fin(c)
  c.rcv, c.eof, c.owes = (c.rcv + 1) % 2^32, true, true
  c.readable:set()
  if c.state == "established" then c.state = "close-wait"
  elseif c.state == "fin-wait-1" then c.state = "closing" -- both closed at once (3.6, figure 13)
  elseif c.state == "fin-wait-2" then c.state = "time-wait" end
end

-- linger ends a connection after a while without a segment: in TIME-WAIT, and in FIN-WAIT-2
-- when the function that served it has returned, and so nobody may be waiting.
local function linger(c)
  local wait = c.state == "time-wait" and TIME_WAIT or c.state == "fin-wait-2" and c.served and FIN_WAIT
  if not wait then return end
  if c.lingering then c.lingering:cancel() end
  c.lingering = after(wait, c.remove, c)
end

-- R.segment is 3.10.7.4, for all states but CLOSED and LISTEN.
function R.segment(c, p)
  if c.on_segment and c.on_segment(c, p, "in") == false then return end
  local t, data = p.tcp, p.payload
  if c.state == "syn-sent" then return syn_sent(c, p) end
  if c.state == "syn-received" and t:has("S") and t.seq == c.irs then return syn_again(c, t) end

  -- First: the sequence number. What lies outside the window is answered, so that the
  -- other end learns where we are; this answers keep-alives (3.8.4) and window probes.
  if not acceptable(c, t.seq, #data + (t:has("S") and 1 or 0) + (t:has("F") and 1 or 0)) then
    if not t:has("R") then S.acknowledge(c) end
    return linger(c)
  end

  -- Second: RST counts if it is exactly what is next; else a forger may have guessed.
  if t:has("R") then
    if t.seq ~= c.rcv then return S.acknowledge(c) end
    if c.state == "time-wait" or c.state == "closing" or c.state == "last-ack" then return c:remove() end
    return c:remove(c.state == "syn-received" and "refused" or "reset by the other end")
  end

  -- Fourth (the third is about security): a SYN has no business here (RFC 5961 4).
  if t:has("S") then return S.acknowledge(c) end

  -- Fifth: ACK.
  if not t:has("A") then return end
  if c.state == "syn-received" then
    if t.ack ~= c.nxt then return send(p:rst(), c.device) end
    c.wnd, c.wl1, c.wl2 = t.window * 2^c.theirs, t.seq, t.ack
    S.acknowledged(c, t.ack)
    c:stand()
  elseif seqdiff(t.ack, c.nxt) > 0 then
    return S.acknowledge(c)                        -- of something that we have not sent
  else
    acknowledgement(c, t, data)
  end
  if not S.under_way(c) and c.out.len == 0 then    -- our FIN has arrived, too
    if c.state == "fin-wait-1" then c.state = "fin-wait-2"
    elseif c.state == "closing" then c.state = "time-wait"
    elseif c.state == "last-ack" then return c:remove() end
  end

  -- Seventh and eighth (the sixth, urgent data, is left out): data and FIN.
  if not c.eof then
    if data ~= "" then text(c, t.seq, data) end
    if t:has("F") then c.fin, c.owes = (t.seq + #data) % 2^32, true end
    if c.fin == c.rcv then fin(c) end
  end
  S.output(c)
  if c.owes then S.acknowledge(c) end
  linger(c)
end

return R
