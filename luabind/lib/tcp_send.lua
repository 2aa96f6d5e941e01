-- The sending side of tcp.lua: what is under way, what was lost, how much may be sent.
-- Numbers like 3.8.1 are sections of RFC 9293. A connection c is a table of tcp.lua's;
-- c:remove(err) ends it.
--
--      c.una            c.nxt         c.una + c.wnd
--   ----|----------------|-----------------|----      3.3.1, figure 3
--    got | c.sent: under  | may be sent     | must wait, in c.out
--        | way, c.pipe of |
--        | it not lost    |

local segment = tcp                                -- the builder
local Q = require "tcp_queue"
local S = {}

S.RECEIVE, S.SEND = 256 * 1024, 256 * 1024         -- bytes kept for a reader, and for a slow peer
S.SCALE = 2                                        -- of our window: 65,535 << 2 is as much
local RTO_LEAST, RTO_MOST = 0.2, 60                -- seconds; RFC 6298 would have 1 as the least, Linux has 0.2
local TRIES = 8                                    -- retransmissions before a connection is given up

-- space is RCV.WND in bytes; window is what the header says of it (RFC 7323 2.3).
function S.space(c) return S.RECEIVE - c.got.len end

function S.window(c) return math.max(math.min(math.floor(S.space(c) / 2^c.ours), 65535), 0) end

function S.under_way(c) return c.head <= c.tail end

-- emit makes a segment and sends it, unless conn.on_segment will not have it.
function S.emit(c, flags, seq, data, options)
  local ack = flags:find("A", 1, true) and c.rcv or 0
  local shown = S.window(c)
  if flags:find("S", 1, true) then shown = math.min(S.RECEIVE, 65535) end       -- not scaled: RFC 7323 2.2
  local p = ip{ src = c.src, dst = c.dst }
    / segment{ sport = c.sport, dport = c.dport, flags = flags, seq = seq, ack = ack, window = shown, options = options }
  if data and data ~= "" then p = p / data end
  if not c.on_segment or c.on_segment(c, p, "out") ~= false then send(p, c.device) end
  c.owes, c.shown = false, shown
end

-- blocks are what came too early, as RFC 2018 has it: at most three, with room for more.
local function blocks(c)
  if #c.early == 0 or not c.selective then return nil end
  local all, last = {}, nil
  for _, e in ipairs(c.early) do                   -- in order already
    local stop = (e.seq + #e.data) % 2^32
    if last and seqdiff(e.seq, last[2]) <= 0 then
      if seqdiff(stop, last[2]) > 0 then last[2] = stop end
    elseif #all == 3 then
      break
    else
      last = { e.seq, stop }
      all[#all + 1] = last
    end
  end
  return { sack = all }
end

-- acknowledge answers at once; waiting for a second segment (3.8.6.3) would save half the
-- packets and cost a timer.
function S.acknowledge(c) S.emit(c, "A", c.nxt, nil, blocks(c)) end

-- arm lets the retransmission timer run while something is under way (RFC 6298 5). One
-- timer looks again when it comes early, so that an acknowledgement costs none.
function S.arm(c, restart)
  local waiting = S.under_way(c) or c.out.len > 0 and c.wnd == 0
  if not waiting then c.deadline = nil return end
  if restart or not c.deadline then
    local wait = c.rto
    c.probing = c.selective and c.srtt and not c.recover and not c.probed and c.head < c.tail
    if c.probing then wait = math.min(2 * c.srtt + 0.005, wait) end
    c.deadline = now() + wait
  end
  if c.timer and c.due > c.deadline then c.timer:cancel() c.timer = nil end
  if not c.timer then
    c.timer, c.due = after(math.max(c.deadline - now(), 0), S.expired, c), c.deadline
  end
end

-- transmit sends what is new; len is what it takes of the sequence numbers (3.4).
function S.transmit(c, flags, data, len, options)
  local s = { seq = c.nxt, flags = flags, data = data, len = len, at = now(), options = options }
  c.tail = c.tail + 1
  c.sent[c.tail] = s                               -- s.lost: to be sent again; s.held: the peer has it, out of turn
  c.nxt = (c.nxt + len) % 2^32
  c.pipe = c.pipe + len
  S.emit(c, flags, s.seq, data, options)
end

-- again sends a segment once more.
function S.again(c, s)
  s.again, s.at = true, now()
  c.resent = s.at
  S.emit(c, s.flags, s.seq, s.data, s.options)
end

-- lose marks a segment for output to send again.
local function lose(c, s)
  if s and not s.lost and not s.held then
    s.lost = true
    c.pipe = c.pipe - s.len
  end
end

function S.may_send(c) return c.state == "established" or c.state == "close-wait" end

-- output sends what the windows allow: first what was lost, then what is new.
function S.output(c)
  for i = c.head, c.tail do
    local s = c.sent[i]
    if s.lost then
      if not c.at_once and c.pipe > 0 and c.pipe + s.len > c.cwnd then break end
      s.lost, c.at_once = nil, nil
      c.pipe = c.pipe + s.len
      S.again(c, s)
    end
  end
  while c.out.len > 0 and S.may_send(c) do
    local room = math.floor(math.min(c.cwnd - c.pipe, c.wnd - seqdiff(c.nxt, c.una)))
    if room <= 0 then break end
    local n = math.min(c.out.len, c.mss, room)
    if n < c.mss and n < c.out.len and c.pipe > 0 then break end -- 3.8.6.2.1: no silly windows
    local data = Q.take(c.out, n)
    S.transmit(c, c.out.len == 0 and "PA" or "A", data, n) -- PSH: no more for now (3.9.1.2)
  end
  if c.closing and c.out.len == 0 and S.may_send(c) then                -- 3.6
    c.state = c.state == "established" and "fin-wait-1" or "last-ack"
    S.transmit(c, "FA", nil, 1)
  end
  S.arm(c)
end

-- tail sends the last segment again before the timer would: what the peer then says it
-- holds tells what was lost (RFC 8985 7, the tail loss probe).
local function tail(c)
  c.probed = true
  S.again(c, c.sent[c.tail])
end

-- probe asks whether a closed window is still closed, with a byte of what waits (3.8.6.1).
-- Nothing is lost that way: the congestion window stays as it is.
local function probe(c)
  if S.under_way(c) then return S.again(c, c.sent[c.head]) end
  S.transmit(c, "A", Q.take(c.out, 1), 1)
end

-- lost takes everything under way for lost and begins anew, slowly (RFC 6298 5.4,
-- RFC 5681 3.1).
local function lost(c)
  c.ssthresh = math.max(c.pipe / 2, 2 * c.mss)
  c.cwnd, c.recover, c.slowly, c.dupacks = c.mss, c.nxt, true, 0 -- slow start, not fast recovery
  for i = c.head, c.tail do                        -- RFC 2018 8: what was held may have been given up
    local s = c.sent[i]
    if s.held then s.held, c.pipe = nil, c.pipe + s.len end
    lose(c, s)
  end
  S.output(c)
end

-- expired is the timer's (3.8.1): each time it waits twice as long (RFC 6298 5.5), and in
-- the end the connection is given up (3.8.3).
function S.expired(c)
  c.timer = nil
  if c.gone or not c.deadline then return end
  if now() < c.deadline - 1e-6 then return S.arm(c) end -- now() is no finer
  if c.probing then
    tail(c)
  else
    c.tries = c.tries + 1
    if c.tries > TRIES then return c:remove("timed out") end
    c.rto = math.min(c.rto * 2, RTO_MOST)
    local shut = c.wnd == 0 and c.una ~= c.iss     -- of one that stands
    if shut then probe(c) else lost(c) end
  end
  S.arm(c, true)
end

-- opened is a window that was closed: what probed it was refused, and goes first.
function S.opened(c)
  for i = c.head, c.tail do lose(c, c.sent[i]) end
  c.tries = 0
end

-- measure takes the round trip of a segment into account (RFC 6298 2). One that was sent
-- again does not count (Karn), nor one that was under way then: its acknowledgement may
-- have waited for the other.
local function measure(c, s)
  if s and not s.again and s.at > (c.resent or -1) then
    local r = now() - s.at
    if c.srtt then
      c.rttvar = 0.75 * c.rttvar + 0.25 * math.abs(c.srtt - r)
      c.srtt = 0.875 * c.srtt + 0.125 * r
    else
      c.srtt, c.rttvar = r, r / 2
    end
  end
  if c.srtt then c.rto = math.max(RTO_LEAST, math.min(c.srtt + 4 * c.rttvar, RTO_MOST)) end -- it goes on: no back-off
end

-- tidy moves a long list down: a table keeps the room of what left its front.
local function tidy(c)
  if c.head <= 500 or c.head <= c.tail / 2 then return end
  local rest = {}
  for i = c.head, c.tail do rest[#rest + 1] = c.sent[i] end
  c.sent, c.head, c.tail = rest, 1, #rest
end

-- acknowledged forgets what ack covers.
function S.acknowledged(c, ack)
  local newest
  while c.head <= c.tail do
    local s = c.sent[c.head]
    local into = seqdiff(ack, s.seq)
    if into < s.len then
      if into > 0 and s.data then                  -- a part of it
        if not s.lost and not s.held then c.pipe = c.pipe - into end
        s.data, s.seq, s.len = s.data:sub(into + 1), ack, s.len - into
      end
      break
    end
    if not s.lost and not s.held then c.pipe = c.pipe - s.len end
    if s.at > c.arrived then c.arrived = s.at end
    newest = s
    c.sent[c.head] = nil
    c.head = c.head + 1
  end
  tidy(c)
  measure(c, newest)
  local count = seqdiff(ack, c.una)
  c.una, c.tries, c.probed = ack, 0, nil
  local recovering = c.recover and seqdiff(ack, c.recover) < 0
  if recovering and not c.slowly then
    if not c.selective then
      lose(c, c.sent[c.head])                      -- RFC 6582 3.2: the next one is lost, too
      c.cwnd = math.max(c.cwnd - count + c.mss, c.mss)
    end
  elseif c.recover and not c.slowly then
    c.cwnd = math.max(c.ssthresh, 2 * c.mss)
  elseif c.cwnd < c.ssthresh then
    c.cwnd = c.cwnd + math.min(count, c.mss)       -- RFC 5681 3.1: slow start
  else
    c.cwnd = c.cwnd + c.mss * c.mss / c.cwnd
  end
  if not recovering then c.recover, c.slowly = nil, nil end
  c.dupacks = 0
  S.arm(c, true)
  if c.out.len < S.SEND / 2 then c.writable:set() end
end

-- slow halves the congestion window at the first loss of a window's worth of segments;
-- what was lost goes at once all the same (RFC 5681 3.2, RFC 6675 5).
local function slow(c)
  c.ssthresh = math.max(c.pipe / 2, 2 * c.mss)
  c.cwnd, c.recover, c.at_once = c.ssthresh, c.nxt, true
end

-- selected takes what the peer holds out of turn (RFC 2018), and what was sent a while
-- before something that has arrived since for lost (RFC 8985 6.2), sent again or not.
function S.selected(c, list)
  for i = c.head, c.tail do
    local s = c.sent[i]
    if not s.held then
      for _, b in ipairs(list) do
        if seqdiff(s.seq, b[1]) >= 0 and seqdiff((s.seq + s.len) % 2^32, b[2]) <= 0 then
          if not s.lost then c.pipe = c.pipe - s.len end
          s.held, s.lost = true, nil
          if s.at > c.arrived then c.arrived = s.at end
          break
        end
      end
    end
  end
  local before = c.arrived - (c.srtt or 0) / 2
  for i = c.head, c.tail do
    local s = c.sent[i]
    if not s.held and not s.lost and s.at < before then
      if not c.recover then slow(c) end
      lose(c, s)
    end
  end
end

-- duplicate counts acknowledgements that say a segment is missing (RFC 5681 3.2), where
-- the peer does not say which it has.
function S.duplicate(c)
  c.dupacks = c.dupacks + 1
  if c.dupacks == 3 and not c.recover then
    slow(c)
    c.cwnd = c.cwnd + 3 * c.mss
    lose(c, c.sent[c.head])
  elseif c.dupacks > 3 then
    c.cwnd = c.cwnd + c.mss
  end
end

return S
