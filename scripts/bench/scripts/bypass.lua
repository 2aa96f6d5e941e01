-- Sees one packet of each connection, and leaves the others to the engine.
on("tcp", function(p)
  p.flow:bypass("pass")
end)
