-- What tcp_test.lua talks to: a server for each kind of end, and a client for each port
-- that a datagram to port 9 names.
local tcp = require "tcp"
tcp.listen(7, function(conn)                       -- gives back what it got
  while true do
    local s = conn:read("*l")
    if not s then return end
    conn:write(s .. "\n")
  end
end)
tcp.listen(8, function(conn) conn:write(("0123456789"):rep(1000)) conn:read("*a") end)
tcp.listen(10, function(conn) sleep(5) log.info("read", conn:read(300000):len()) end)
tcp.listen(11, function(conn) conn:write("bye") end)
tcp.listen(12, function(conn) conn:read("*l") conn:abort() end)
on("udp dst port 9", function(p)
  local port = tonumber(p.payload)
  spawn(function()
    local conn, err = tcp.connect{ dst = p.ip.src, dport = port, sport = 5000, timeout = 200 }
    if not conn then return log.info("no connection:", err) end
    log.info("connected")
    conn:write("hello\n")
    log.info("read", conn:read("*l"))
    conn:close()
    log.info("read", conn:read("*l"))
  end)
  return "drop"
end)
on("tcp", function(p) return p:rst() end)
