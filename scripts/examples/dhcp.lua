-- A DHCP server (RFC 2131): an address from a pool for each client, the same one for the
-- same client, with a router and a name server.
-- Try it:  tunscript lab --tap dhcp.lua -- udhcpc -f -q -n -i tap0 -s /bin/true
local server, mask, time = "192.0.2.2", "255.255.255.0", 600
local first, last = 100, 199                       -- of 192.0.2.0/24
local DISCOVER, OFFER, REQUEST, ACK, NAK, RELEASE = 1, 2, 3, 5, 6, 7
local cookie = hex"63825363"

local lease, owner, next_free = {}, {}, first
local function address_for(mac)
  while not lease[mac] and next_free <= last do
    local a = "192.0.2." .. next_free
    if not owner[a] then lease[mac], owner[a] = a, mac end
    next_free = next_free + 1
  end
  return lease[mac]
end

local function read_options(s)                     -- RFC 2132 2: a kind, a length, the value
  local o, at = {}, 241
  while at < #s and s:byte(at) ~= 255 do
    local kind, len = s:byte(at, at + 1)
    if kind == 0 then len = -1 else o[kind] = s:sub(at + 2, at + 1 + len) end
    at = at + 2 + len
  end
  return o
end

local function write_options(o)
  local parts = {}
  for i, pair in ipairs(o) do parts[i] = string.char(pair[1], #pair[2]) .. pair[2] end
  return table.concat(parts) .. "\255"
end

on("udp dst port 67", function(p)
  local m = p.payload
  if #m < 241 or m:byte(1) ~= 1 or m:sub(237, 240) ~= cookie then return "drop", "no DHCP" end
  local o, mac = read_options(m), tohex(m:sub(29, 34))
  local kind = (o[53] or ""):byte()
  if o[54] and o[54] ~= aton(server) then return "drop", "for another server" end
  if kind == RELEASE then return "drop", "released" end -- its address waits for it
  local address = address_for(mac)
  local wanted = o[50] or m:sub(13, 16)            -- asked for, or held already
  local answer = kind == DISCOVER and OFFER or kind == REQUEST and (address and wanted == aton(address) and ACK or NAK)
  if not answer or not address and answer ~= NAK then return "drop", "nothing to give" end
  local given = answer == NAK and ("\0"):rep(4) or aton(address)
  local options = { { 53, string.char(answer) }, { 54, aton(server) } }
  if answer ~= NAK then
    for _, pair in ipairs{ { 51, string.pack("I4", time) }, { 1, aton(mask) }, { 3, aton(server) }, { 6, aton(server) } } do
      options[#options + 1] = pair
    end
    if answer == ACK then log.info(mac, "has", address) end
  end
  return p:reply{ ip = { src = server, dst = "255.255.255.255" },
    payload = "\2" .. m:sub(2, 4) .. m:sub(5, 8) .. ("\0\0") .. m:sub(11, 12) .. ("\0"):rep(4) .. given .. aton(server)
      .. m:sub(25, 28) .. m:sub(29, 44) .. ("\0"):rep(192) .. cookie .. write_options(options) }
end)
on("arp", function(p) if p.arp.tpa == server then return p:reply() end end)
