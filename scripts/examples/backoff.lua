-- A client that sends its SYN again after 1, 2, 4 and 8 seconds, and then gives up.
-- Its test lets two minutes go by in a millisecond.
-- Try it:  tunscript lab --dump=tcp backoff.lua -- sleep 8
spawn(function()
  local syn = ip{ dst = "192.0.2.1" }/tcp{ sport = 40000, dport = 81, flags = "S", seq = 1 }
  for _, wait in ipairs{ 1, 2, 4, 8, 16 } do
    local answer = sr(syn, wait)
    if answer then return log.info("answered", answer) end
  end
  log.info("nobody answers")
end)
