package stub

// A section is one theme of the page: prose, the names that it is about, an example
// that a test loads.
type section struct {
	title, text, example string
	globals              []string // "log." is all of log
	methods              []string // of a packet
	classes              []string
}

const intro = `A script is a Lua file. What it says at its top runs once, when it is loaded (with several workers, once in each): it registers handlers, timers and tasks. After that it is called for packets.

Everything is strict. A field, an option or a verdict that does not exist is an error at the script's own line that names the nearest one; assigning to a name of this page is an error, too. Misuse raises; what may fail in ordinary life returns nil and why. ` + "`tunscript check`" + ` finds most mistakes before a packet comes, and ` + "`tunscript init`" + ` sets an editor up to complete these names.

Offsets into packets begin at 0 and are big-endian, as in RFC diagrams; Lua's strings begin at 1.
`

// sections are the page from top to bottom.
var sections = []section{
	{
		title: "Handlers",
		text: `
A handler is called for every packet that its filter matches, in the syntax of pcap-filter(7): ` + "`tcp dst port 80`" + `. As there, ` + "`tcp[...]`" + ` looks into IPv4 only; ` + "`p.tcp:has(\"S\")`" + ` looks into both. Handlers run in the order of ` + "`prio`" + `, lowest first, then as written. What a handler returns decides:

| returned | what becomes of the packet |
|---|---|
| nothing, nil, false, ` + "`\"pass\"`" + ` | it goes on to the next handler, with what was changed; after the last one, it is forwarded |
| ` + "`\"accept\"`" + `, or the packet itself | it is forwarded now |
| ` + "`\"drop\"`" + ` [, reason] | it ends |
| another packet, or a list of packets | these leave in its place |
`,
		globals: []string{"on", "on_start", "on_stop", "on_reload"},
		classes: []string{"on.options", "handle"},
		example: `
on("tcp dst port 23", function(p)
  return "drop", "telnet"
end)

on{ "udp", name = "hops", prio = 10, run = function(p)
  p.ip.ttl = p.ip.ttl - 1
end }
`,
	},
	{
		title: "Answers",
		text: `
An answer is a new packet that goes back where its question came from: addresses, ports and Ethernet addresses swapped, then the arithmetic of its protocol, then the fields you give, which change only themselves. An answer that must not be (to an error, a reset or a reply) is an empty packet: returned, it drops.
`,
		methods: []string{"reply", "rst", "unreachable", "ttl_exceeded", "copy"},
		example: `
on("icmp[icmptype] == icmp-echo", function(p)
  return p:reply()
end)

on("tcp dst port 80", function(p)
  if p.tcp:is("S") then
    return p:reply{ tcp = { flags = "SA", seq = 1000, options = { mss = 1400 } } }
  end
  return p:rst()
end)

on("udp", function(p)
  return p:unreachable("port")
end)
`,
	},
	{
		title: "A packet",
		text: `
A field reads as the packet is, and writing it changes the packet; lengths and checksums follow on the way out. A layer that a packet does not have is nil. Addresses are strings. The packet that a handler gets is good until the handler returns: ` + "`p:copy()`" + ` is one to keep.
`,
		classes: []string{"packet"},
		example: `
on("ip", function(p)
  if p.udp and p.udp.dport == 53 and #p.payload > 512 then
    p.ip.dscp = 46
  end
  if p:u8(p.eth and 14 or 0) ~= 0x45 then
    return "drop", "IP options"
  end
end)
`,
	},
	{
		title: "Layers",
		text: `
` + "`p.ip`" + ` is the IP header of either version, ` + "`p.ip4`" + ` and ` + "`p.ip6`" + ` that of one. Lengths and checksums read as they will leave; set by hand they stay, and nil undoes that.
`,
		classes: []string{"eth", "vlan", "arp", "ip", "ip4", "ip6", "icmp", "icmp6", "tcp", "tcp.options", "udp"},
		example: `
on("tcp", function(p)
  if p.tcp:has("S") and (p.tcp.options.mss or 0) > 1200 then
    p.tcp.options.mss = 1200
  end
  p.tcp.checksum = "bad"
end)
`,
	},
	{
		title: "Packets of your own",
		text: `
A builder begins a packet, and ` + "`/`" + ` goes on with the next header or the payload; ` + "`packet{...}`" + ` is the same as one table. What is not given is computed or sensible: lengths, checksums, ttl 64, an echo request, a SYN from a random port. ` + "`send`" + ` sends it as it is now.
`,
		globals: []string{"packet", "eth", "vlan", "arp", "ip", "ip4", "ip6", "icmp", "icmp6", "tcp", "udp", "send"},
		example: `
local function probe(ttl)
  return ip{ dst = "192.0.2.1", ttl = ttl }/udp{ dport = 33434 }/"probe"
end

on_start(function()
  for ttl = 1, 3 do send(probe(ttl)) end
  send(packet{ ip = { dst = "192.0.2.1" }, icmp = { id = 7 }, payload = "ping" })
end)
`,
	},
	{
		title: "Time",
		text: `
Times are in seconds, fractions included, and come from the engine's clock: in a replay or a test it is virtual, and a script cannot tell.
`,
		globals: []string{"after", "every", "now"},
		example: `
local seen = 0
on("ip or ip6", function() seen = seen + 1 end)
local meter = every(1, function()
  log.info(seen, "packets")
  seen = 0
end)
after(60, function() meter:cancel() end)
`,
	},
	{
		title: "Tasks",
		text: `
A task is a function that waits: written as if it blocked, while packets go on. What a waiting task takes, no handler sees. A pattern is a filter, a function, or a table in which a filter may stand first: a layer with the values that its fields are to have, ` + "`true`" + ` or ` + "`false`" + ` for whether it is there, a function that is asked.
`,
		classes: []string{"packet.pattern", "inbox"},
		globals: []string{"spawn", "sleep", "recv", "expect", "sr", "inbox"},
		example: `
spawn(function()
  local syn = expect({ tcp = { dport = 80, flags = "S" } }, 5)
  send(syn:reply{ tcp = { flags = "SA", seq = 1000 } })
  expect({ tcp = { flags = "A", ack = 1001 } }, 2)
  log.info("connected")
end)
`,
	},
	{
		title: "State",
		text: `
Globals and locals of a script are its state; with several workers each has its own. ` + "`p.flow`" + ` is a table for all packets of a flow, both directions, as long as it lives. ` + "`shared.name`" + ` is a dictionary that all workers see and that outlives a reload.
`,
		globals: []string{"shared"},
		classes: []string{"flow", "flow.rewrite", "dictionary"},
		example: `
on("tcp dst port 8080", function(p)
  if not p.flow.seen then
    p.flow.seen = now()
    shared.clients:incr(p.ip.src, 1)
  end
  p.flow:rewrite{ dport = 80 }
end)
`,
	},
	{
		title:   "Devices and the run",
		text:    "`devices.tun0.mtu` reads what a device is now. With several workers each runs the whole script, and `worker` is its number.",
		globals: []string{"devices", "worker", "stop", "option"},
		classes: []string{"device", "option.spec"},
		example: `
local limit = option("limit", { default = 100, min = 1, help = "packets until the end" })
local count = 0
on(function()
  count = count + 1
  if count == limit then stop() end
end)
`,
	},
	{
		title:   "Bytes and text",
		text:    "`print` writes to the log, too.",
		globals: []string{"hex", "tohex", "checksum", "xor", "log.", "bit.", "bit32.", "json.", "string.", "aton", "ntoa", "cidr", "seqdiff"},
		classes: []string{"network"},
		example: `
assert(hex"45 00" == "E\0")
assert(tohex("E\0") == "4500")
log.info(checksum(hex"00 01 f2 03"))
assert(xor(xor("secret", "key"), "key") == "secret")
`,
	},
}
