-- Fetches a page from a web server of the host, with TCP by hand.
-- Try it:  tunscript lab get_by_hand.lua -- python3 -m http.server 80
local request = "GET / HTTP/1.0\r\n\r\n"
spawn(function()
  local syn, sa = ip{ dst = "192.0.2.1" }/tcp{ dport = 80, flags = "S", options = { mss = 1400 } }
  repeat                                               -- a reset: the server is not there yet
    sleep(0.1)
    sa = sr(syn, 1, 5)
  until not sa or sa.tcp and sa.tcp:is("SA")
  if not sa then return log.error("no answer") end
  local box = inbox{ flow = sa.flow }
  send(sa:reply())
  send(sa:reply{ tcp = { flags = "PA" }, payload = request })
  local mine, theirs, page, s = sa.tcp.ack + #request, sa.tcp.seq + 1, {}
  repeat                                               -- in order, whatever came first
    s = box:expect({ tcp = { seq = theirs } }, 5)
    page[#page + 1] = s.payload
    theirs = theirs + #s.payload + (s.tcp:has("F") and 1 or 0)
    if s.payload ~= "" then send(s:reply{ tcp = { seq = mine, ack = theirs } }) end
  until s.tcp:has("F")
  send(s:reply{ tcp = { flags = "FA", seq = mine, ack = theirs } })
  box:expect({ tcp = { ack = mine + 1 } }, 5)
  for line in table.concat(page):gmatch("[^\n]+") do print(line) end
  stop()
end)
