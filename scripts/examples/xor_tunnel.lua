-- Scrambles the payload of whatever goes through, and the same script at the other end makes it what it was.
-- It hides from a glance, not from a spy: addresses and ports stay, and a key of one byte is soon found.
-- Between two hosts:  tunscript run -c tunnel_xor_server.toml, and tunnel_xor_client.toml over there.
-- Try it:  tunscript lab --pair --dump=udp -x --server 'exec socat UDP-RECVFROM:9 EXEC:cat' xor_tunnel.lua -- sh -c 'echo hello | socat -t1 - UDP:192.0.2.2:9'
local key = option("key", { default = 0x5a, min = 1, max = 255, help = "what every byte is combined with" })
on(function(p) p.payload = xor(p.payload, string.char(key)) end)
