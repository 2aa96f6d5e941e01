-- Serves HTTP on every address, with TCP by hand: handshake, answer, orderly close.
-- Try it:  tunscript lab http_by_hand.lua -- curl -s http://192.0.2.2/
local page = "HTTP/1.0 200 OK\r\n\r\nhi\n"
local function serve(syn)
  local box = inbox{ flow = syn.flow }                 -- what comes early is not lost
  local sa, ack = syn:reply{ tcp = { options = { mss = 1400 } } }
  local first = sa.tcp.seq + 1
  for _, wait in ipairs{ 1, 2, 4 } do                  -- again, while nobody answers
    send(sa)
    ack = box:recv({ tcp = { has = "A", ack = first } }, wait)
    if ack then break end
  end
  if not ack then return end
  local get = ack.payload ~= "" and ack or box:expect({ payload = "^GET " }, 5)
  send(get:reply{ tcp = { flags = "FPA" }, payload = page })
  local fin = box:expect({ tcp = { has = "F", ack = first + #page + 1 } }, 5)
  send(fin:reply{ tcp = { flags = "A" } })
  log.info("closed cleanly")
end
on("tcp dst port 80", function(p)
  if p.tcp:has("S") and not p.flow.served then         -- one task for each connection
    p.flow.served = true
    spawn(serve, p:copy())
  end
  return "drop"
end)
