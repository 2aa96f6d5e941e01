-- Answers a SYN with a SYN-ACK and sends it again after 1, 2 and 4 seconds, until the
-- client has acknowledged it: what a server does for a client that is slow.
-- Try it:  tunscript lab --dump=tcp retransmit.lua -- curl -m 3 http://192.0.2.2/
on("tcp dst port 80", function(p)
  if not p.tcp:is("S") or p.flow.busy then return "drop" end
  p.flow.busy = true
  local syn = p:copy()
  spawn(function()
    local answer = syn:reply{ tcp = { options = { mss = 1400 } } }
    for _, wait in ipairs{ 1, 2, 4, 8 } do
      send(answer)
      if recv({ flow = syn.flow, tcp = { has = "A", ack = answer.tcp.seq + 1 } }, wait) then return end
    end
    log.info("gave up", syn.ip.src)
  end)
  return "drop", "answered by a task"
end)
