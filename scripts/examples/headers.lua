-- Prints every packet in one line, and of a SYN what tells one system from another.
-- Try it:  tunscript lab headers.lua closed.lua -- sh -c 'ping -c 1 192.0.2.2; curl http://192.0.2.2/'
on(function(p)
  print(p)
  if p.tcp and p.tcp:has("S") then
    local o = p.tcp.options
    print("  ttl", p.ip.ttl, "window", p.tcp.window, "mss", o.mss, "wscale", o.wscale, "timestamps", o.timestamps ~= nil)
  end
end)
