-- A connection to 203.0.113.9:5209 is one to 192.0.2.2:5201.
on("dst host 203.0.113.9 and tcp dst port 5209", function(p)
  p.flow:rewrite{ dst = "192.0.2.2", dport = 5201 }
end)
