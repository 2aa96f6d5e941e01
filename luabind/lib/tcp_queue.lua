-- A queue of bytes, for tcp.lua: strings go in at one end, and any number of bytes come
-- out at the other, without copying what stays. q.len is how many bytes there are.

local Q = {}

function Q.new() return { head = 1, tail = 0, at = 1, len = 0 } end -- at: of the first string, what is next

function Q.push(q, s)
  if s == "" then return end
  q.tail = q.tail + 1
  q[q.tail] = s
  q.len = q.len + #s
end

-- line is how many bytes of the first string belong to a line, and whether it ends there.
function Q.line(q)
  local s = q[q.head]
  local stop = s:find("\n", q.at, true)
  return (stop or #s) - q.at + 1, stop ~= nil
end

-- bite takes up to n bytes of the first string.
function Q.bite(q, n)
  local s = q[q.head]
  local piece = s:sub(q.at, q.at + n - 1)
  q.at, q.len = q.at + #piece, q.len - #piece
  if q.at <= #s then return piece end
  q[q.head] = nil
  q.head, q.at = q.head + 1, 1
  if q.head > q.tail then
    q.head, q.tail = 1, 0
  elseif q.head > 500 and q.head > q.tail / 2 then -- a table keeps the room of what left its front
    local n = q.tail - q.head + 1
    for i = 1, n do q[i] = q[q.head + i - 1] end
    for i = n + 1, q.tail do q[i] = nil end
    q.head, q.tail = 1, n
  end
  return piece
end

-- take takes n bytes, of which there must be as many.
function Q.take(q, n)
  local parts = {}
  while n > 0 do
    local piece = Q.bite(q, n)
    parts[#parts + 1] = piece
    n = n - #piece
  end
  return table.concat(parts)
end

return Q
