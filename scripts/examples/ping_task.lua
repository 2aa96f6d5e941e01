-- Pings the host, as a task: one echo a second, with a timeout for each.
-- Try it:  tunscript lab ping_task.lua -- sleep 3.5
local count = option("count", { default = 3, min = 1, help = "echo requests" })
spawn(function()
  local lost = 0
  for seq = 1, count do
    local start = now()
    local answer = sr(ip{ dst = "192.0.2.1" }/icmp{ id = 7, seq = seq }/"a ping from Lua", 1)
    if answer and answer.icmp.type == 0 then
      log.info(("seq %d: %.3f ms"):format(seq, 1000 * (now() - start)))
    else
      lost = lost + 1
      log.info(("seq %d: no answer"):format(seq))
    end
    sleep(math.max(0, start + 1 - now()))
  end
  log.info(count, "sent", lost, "lost")
end)
