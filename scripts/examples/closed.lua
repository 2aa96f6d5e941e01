-- A host with nothing on it, whatever its address: TCP gets a reset, UDP "port
-- unreachable", and a ping its answer.
-- Try it:  tunscript lab closed.lua -- curl http://192.0.2.9/
on("tcp", function(p) return p:rst() end)
on("udp", function(p) return p:unreachable("port") end)
on("icmp or icmp6", function(p) return p:reply() end)
