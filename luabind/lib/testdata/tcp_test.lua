-- The exchanges of RFC 9293 and its company, segment by segment. The test is the other end,
-- and keeps its own sequence numbers; relative ones are written as x:at(n) and x:theirs(n).
local test = require "test"

local End = {}
End.__index = End

-- send is a segment to the script; data or a table of header fields, or both.
function End.send(x, flags, data, fields)
  local h = { sport = x.sport, dport = x.dport, flags = flags, seq = x.seq, ack = flags:find("A") and x.ack or 0, window = x.window }
  for k, v in pairs(fields or {}) do h[k] = v end
  local p = ip{ dst = x.dst }/tcp(h)
  if data then p = p/data end
  x.t:inject(p)
  if not (fields and fields.seq) then
    x.seq = (x.seq + #(data or "") + (flags:find("[SF]") and 1 or 0)) % 2^32
  end
end

-- expect is the next segment of the script to us, which must have these flags and fields.
function End.expect(x, flags, fields, within)
  local h = { sport = x.dport, dport = x.sport, flags = flags }
  for k, v in pairs(fields or {}) do h[k] = v end
  local p = x.t:expect({ tcp = h }, within or 0.001)
  if x.taking ~= false and not flags:find("R") then
    local stop = (p.tcp.seq + #p.payload + (flags:find("[SF]") and 1 or 0)) % 2^32
    if not x.ack or seqdiff(stop, x.ack) > 0 then x.ack = stop end
  end
  return p
end

function End.at(x, n) return (x.iss + n) % 2^32 end
function End.theirs(x, n) return (x.irs + n) % 2^32 end

local sport = 2000
local function new(t, dport, dst)
  sport = sport + 1
  return setmetatable({ t = t, dst = dst or "192.0.2.2", sport = sport, dport = dport, iss = 2^32 - 10, seq = 2^32 - 10, window = 65535 }, End)
end

-- opened is a connection that stands; our numbers wrap round soon.
local function opened(t, dport, options)
  t:load "server.lua"
  local x = new(t, dport)
  x:send("S", nil, { options = options or { mss = 1000 } })
  x.irs = x:expect("SA", { ack = x:at(1) }).tcp.seq
  x.seq = x:at(1)
  x:send("A")
  return x
end

-- called is the script's SYN to port 80 of the test.
local function called(t)
  t:load "server.lua"
  t:inject(ip{ dst = "192.0.2.2" }/udp{ sport = 1, dport = 9 }/"80")
  local x = new(t, 5000)
  x.sport = 80
  x.irs = x:expect("S").tcp.seq
  return x
end

test("3.5 handshake: MSS, window scale and SACK are answered as they are asked", function(t)
  t:load "server.lua"
  local x = new(t, 7)
  x:send("S", nil, { options = { mss = 1000, wscale = 7, sack_permitted = true } })
  local o = x:expect("SA", { ack = x:at(1), window = 65535 }).tcp.options
  assert(o.mss == 1460 and o.wscale == 2 and o.sack_permitted)
  x = new(t, 7)
  x:send("S", nil, { options = { mss = 1000 } })
  o = x:expect("SA").tcp.options
  assert(o.mss == 1460 and not o.wscale and not o.sack_permitted, "nothing that was not offered")
  x = new(t, 7, "2001:db8::2")
  x:send("S", nil, { options = { mss = 1000 } })
  assert(x:expect("SA").tcp.options.mss == 1440)
end)

test("3.5 handshake: a SYN that comes again is answered again, with the same number", function(t)
  t:load "server.lua"
  local x = new(t, 7)
  x:send("S")
  local first = x:expect("SA").tcp.seq
  x:send("S", nil, { seq = x:at(0) })
  x:expect("SA", { seq = first })
  t:expect_nothing()
end)

test("3.8.1, RFC 6298: a SYN-ACK is sent again after 1, 2, 4 seconds, and in the end given up", function(t)
  t:load "server.lua"
  local x = new(t, 7)
  x:send("S")
  local seq, waited, last = x:expect("SA").tcp.seq, {}, now()
  for i = 1, 8 do
    x:expect("SA", { seq = seq }, 100)
    waited[i], last = math.floor(now() - last + 0.5), now()
  end
  assert(table.concat(waited, " ") == "1 2 4 8 16 32 60 60", table.concat(waited, " "))
  t:advance(200)
  t:expect_nothing()
end)

test("3.5 connect: SYN, SYN-ACK, ACK, and data both ways", function(t)
  local x = called(t)
  x:send("SA")
  x:expect("A", { ack = x:at(1) })
  x:expect("PA", { payload_is = nil })
  x:send("A", "hi\n")
  x:expect("A")
end)

test("3.10.7.3: in SYN-SENT a wrong ACK gets a reset, and a reset without ACK means nothing", function(t)
  local x = called(t)
  x:send("SA", nil, { ack = x:theirs(7), seq = 1 })
  x:expect("R", { seq = x:theirs(7) })
  x:send("R", nil, { seq = 1 })
  x:send("SA")
  x:expect("A")
end)

test("3.5.2: refused", function(t)
  local x = called(t)
  x:send("RA", nil, { seq = 0 })
  t:advance(100)
  t:expect_nothing()
end)

test("3.5 figure 7: both call at once", function(t)
  local x = called(t)
  x:send("S")
  x:expect("SA", { seq = x:theirs(0), ack = x:at(1) })
  x:send("SA", nil, { seq = x:at(0) })
  x:expect("A", { seq = x:theirs(1), ack = x:at(1) })
  x:expect("PA")
end)

test("3.10.7.1: what belongs to no connection is reset, unless it is a reset", function(t)
  t:load "server.lua"
  local x = new(t, 7)
  x:send("A", nil, { ack = 4711 })
  x:expect("R", { seq = 4711 })
  x:send("R")
  t:expect_nothing()
end)

test("3.7.1: segments are as large as the other end takes", function(t)
  local x = opened(t, 8, { mss = 1000 })
  for _ = 1, 5 do assert(#x:expect("A").payload == 1000) end
end)

test("3.7.1: who does not say takes 536 bytes", function(t)
  local x = opened(t, 8, {})
  for _ = 1, 5 do assert(#x:expect("A").payload == 536) end
end)

test("3.8.6: no more than the window, and what waits goes when it opens", function(t)
  t:load "server.lua"
  local x = new(t, 8)
  x.window = 2500
  x:send("S", nil, { options = { mss = 1000 } })
  x.irs = x:expect("SA").tcp.seq
  x:send("A")
  local got = 0
  for _ = 1, 2 do got = got + #x:expect("A").payload end
  assert(got == 2000, got)
  t:expect_nothing()                               -- 500 bytes would be a silly window (3.8.6.2.1)
  x.window = 4000
  x:send("A")
  for _ = 1, 4 do got = got + #x:expect("A").payload end
  assert(got == 6000, got)
  t:expect_nothing()
end)

test("3.8.6.1: a closed window is probed, for as long as the probes are answered", function(t)
  t:load "server.lua"
  local x = new(t, 8)
  x.window = 1000
  x:send("S", nil, { options = { mss = 1000 } })
  x:expect("SA")
  x:send("A")
  x:expect("A")
  x.window = 0
  x:send("A")
  x.taking = false
  for i = 1, 20 do                                 -- 15 minutes; 8 unanswered would end it
    assert(#x:expect("A", { seq = x.ack }, 130).payload == 1, i)
    x:send("A")
  end
  x.taking, x.window = nil, 65535
  x:send("A")
  local got = 1000
  while got < 10000 do
    got = got + #x:expect(got + 1000 >= 10000 and "PA" or "A", { seq = x.ack }).payload
    x:send("A")
  end
end)

test("3.8.6.2.2: our window closes when nobody reads, and opens by a segment's worth", function(t)
  local x = opened(t, 10)
  local left
  for i = 1, 400 do
    x:send("A", ("x"):rep(1000))
    left = x:expect("A").tcp.window
    if left == 0 then break end
  end
  assert(left == 0)
  x:send("A", "y")                                 -- a probe is answered, and not taken
  x:expect("A", { ack = x:at(1 + 262144), window = 0 })
  t:advance(5)
  assert(x:expect("A").tcp.window >= 2000)
end)

test("3.10.7.4: what comes out of order is put in order, what comes twice is acknowledged", function(t)
  local x = opened(t, 7, { mss = 1000, sack_permitted = true })
  x:send("A", "c\n", { seq = x:at(5) })
  local sack = x:expect("A", { ack = x:at(1) }).tcp.options.sack
  assert(#sack == 1 and sack[1][1] == x:at(5) and sack[1][2] == x:at(7), "RFC 2018: and said to be here")
  x:send("A", "b\n", { seq = x:at(3) })
  x:expect("A", { ack = x:at(1) })
  x:send("A", "a\n", { seq = x:at(1) })
  x:expect("A", { ack = x:at(7) })
  assert(x:expect("PA").payload == "a\nb\nc\n", "what was written in one go shares a segment")
  x.seq = x:at(7)
  x:send("A")
  x:send("A", "a\n", { seq = x:at(1) })
  x:expect("A", { ack = x:at(7) })
  x:send("A", "c\nd\n", { seq = x:at(5) })         -- half of it is new
  x:expect("A", { ack = x:at(9) })
  assert(x:expect("PA").payload == "d\n")
end)

test("RFC 5681 3.2: the third repeated ACK sends again at once", function(t)
  local x = opened(t, 8)
  x.taking = false
  x.ack = x:theirs(1)
  for i = 0, 9 do x:expect(i == 9 and "PA" or "A", { seq = x:theirs(1 + 1000 * i) }) end
  for _ = 1, 2 do x:send("A") end
  t:expect_nothing()
  x:send("A")
  x:expect("A", { seq = x:theirs(1) })
  t:expect_nothing()
end)

test("RFC 2018, RFC 8985: a hole the other end shows is filled, and nothing else", function(t)
  local x = opened(t, 8, { mss = 1000, sack_permitted = true })
  x.taking = false
  x.ack = x:theirs(1)
  for i = 0, 9 do x:expect(i == 9 and "PA" or "A", { seq = x:theirs(1 + 1000 * i) }) end
  t:advance(0.1)
  x:expect("PA", { seq = x:theirs(9001) })         -- the tail once more, for want of an answer
  x:send("A", nil, { ack = x:theirs(3001), options = { sack = { { x:theirs(5001), x:theirs(10001) } } } })
  x:expect("A", { seq = x:theirs(3001) })
  x:expect("A", { seq = x:theirs(4001) })
  t:expect_nothing()
end)

test("RFC 6298: the time-out follows the round trip, and doubles", function(t)
  local x = opened(t, 7)
  for _ = 1, 20 do                                 -- 100 ms a round
    x:send("A", "x\n")
    x:expect("A")
    x:expect("PA")
    t:advance(0.1)
    x:send("A")
  end
  x:send("A", "y\n")
  x:expect("A")
  x:expect("PA")
  local last, waits = now(), {}
  for i = 1, 4 do
    x:expect("PA", nil, 10)
    waits[i], last = now() - last, now()
  end
  assert(waits[1] >= 0.2 and waits[1] < 0.25, waits[1])
  for i = 2, 4 do assert(math.abs(waits[i] / waits[i - 1] - 2) < 0.01, waits[i]) end
end)

test("3.6 figure 12: they close first: CLOSE-WAIT, LAST-ACK", function(t)
  local x = opened(t, 7)
  x:send("FA")
  x:expect("A", { ack = x:at(2) })
  x:expect("FA", { seq = x:theirs(1), ack = x:at(2) })
  x:send("A")
  x:send("A")                                      -- and it is gone
  x:expect("R")
end)

test("3.6: a half of the connection stays open", function(t)
  local x = opened(t, 11)
  x:expect("PA", { seq = x:theirs(1) })
  x:expect("FA", { seq = x:theirs(4) })
  x:send("A")
  t:advance(30)
  x:send("A", "still here")
  x:expect("A", { ack = x:at(11) })
  x:send("FA")
  x:expect("A", { ack = x:at(12) })
end)

test("3.6 figure 13: both close at once: CLOSING, TIME-WAIT", function(t)
  local x = opened(t, 11)
  x.taking = false
  x.ack = x:theirs(4)
  x:expect("PA")
  x:expect("FA", { seq = x:theirs(4) })
  x:send("FA")                                     -- does not acknowledge theirs
  x:expect("A", { ack = x:at(2), seq = x:theirs(5) })
  x.ack = x:theirs(5)
  x:send("A")
  t:advance(1)
  x:send("FA", nil, { seq = x:at(1) })             -- our ACK was lost: TIME-WAIT is there to give it again
  x:expect("A", { ack = x:at(2) })
  t:advance(1.5)
  x:send("FA", nil, { seq = x:at(1) })             -- and to begin anew
  x:expect("A", { ack = x:at(2) })
  t:advance(3)
  x:send("A")
  x:expect("R")
end)

test("3.6.1: FIN-WAIT-2 does not last for ever when nobody is left to read", function(t)
  local x = opened(t, 11)
  x:expect("PA")
  x:expect("FA")
  x:send("A")
  t:advance(61)
  x:send("A")
  x:expect("R")
end)

test("3.5.2, RFC 5961 3.2: a reset must be exactly what is next", function(t)
  local x = opened(t, 7)
  x:send("R", nil, { seq = x:at(100) })
  x:expect("A", { ack = x:at(1) })                 -- in the window: is it really you?
  x:send("R", nil, { seq = x:at(-100) })
  t:expect_nothing()
  x:send("A", "x\n")
  x:expect("A")
  x:expect("PA")
  x:send("R")
  x:send("A")
  x:expect("R")
end)

test("RFC 5961 4: a SYN in the middle is answered with an ACK", function(t)
  local x = opened(t, 7)
  x:send("S", nil, { seq = x:at(50) })
  x:expect("A", { ack = x:at(1) })
end)

test("3.8.4: a keep-alive is answered", function(t)
  local x = opened(t, 7)
  x:send("A", nil, { seq = x:at(0) })
  x:expect("A", { ack = x:at(1) })
end)

test("3.4: what is far outside the window is not taken", function(t)
  local x = opened(t, 7)
  x:send("A", "x\n", { seq = x:at(1000000) })
  x:expect("A", { ack = x:at(1) })
  x:send("A", nil, { ack = x:theirs(1000) })       -- of what was never sent
  x:expect("A", { seq = x:theirs(1) })
  t:expect_nothing()
end)

test("3.9.1.5: abort is a reset", function(t)
  local x = opened(t, 12)
  x:send("A", "x\n")
  x:expect("A")
  x:expect("RA", { seq = x:theirs(1), ack = x:at(3) })
end)
