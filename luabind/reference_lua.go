package luabind

import "strings"

// luaNames are Lua's own library as it is here: what luabind/vm opens, and what only a
// trusted script has. A test compares with what is there.
func luaNames() (names []Name) {
	for _, part := range []struct {
		trusted bool
		lines   string
	}{{false, luaLocked}, {true, luaTrusted}} {
		for line := range strings.Lines(strings.TrimSpace(part.lines)) {
			cells := strings.SplitN(strings.TrimSpace(line), "; ", 3)
			n := nameOf(cells[0], cells[1], cells[2])
			n.Lua, n.Trusted = true, part.trusted
			names = append(names, n)
		}
	}
	return names
}

// Name; type; meaning.
const luaLocked = `
_G; table; all globals
_VERSION; string; "Lua 5.1"
assert; (v: any, message?: string, ...: any): ...: any; raises if v is false or nil
error; (message: any, level?: integer); raises
getmetatable; (v: any): table?; the metatable of v
ipairs; (t: table): function, table, integer; for i, v over a list
load; (chunk: string|function, name?: string): function?, string?; compiles text, while the script loads
loadstring; (chunk: string|function, name?: string): function?, string?; compiles text, while the script loads
next; (t: table, key?: any): any, any; the key after this one, and its value
pairs; (t: table): function, table, any; for key, value over a table
pcall; (fn: function, ...: any): boolean, ...: any; calls fn and catches what it raises
print; (...: any); writes a line to the log
rawequal; (a: any, b: any): boolean; whether they are the same, without metamethods
rawget; (t: table, key: any): any; t[key] without metamethods
rawset; (t: table, key: any, v: any): table; t[key] = v without metamethods
require; (name: string): any; loads a module: a file beside the script, or one that ships with tunscript
select; (n: integer|"#", ...: any): ...: any; the arguments from the nth on, or their number
setmetatable; (t: table, mt?: table): table; sets the metatable of t
tonumber; (v: any, base?: integer): number?; v as a number
tostring; (v: any): string; v as text
type; (v: any): string; the name of the type of v
unpack; (t: table, i?: integer, j?: integer): ...: any; the values of a list
xpcall; (fn: function, handler: function): boolean, ...: any; calls fn, and handler with what it raises
bit.arshift; (x: integer, n: integer): integer; x shifted right, the sign kept
bit.band; (x: integer, ...: integer): integer; bits that are in all, as a signed number
bit.bnot; (x: integer): integer; every bit turned
bit.bor; (x: integer, ...: integer): integer; bits that are in any
bit.bswap; (x: integer): integer; the four bytes in the other order
bit.bxor; (x: integer, ...: integer): integer; bits that are in an odd number of them
bit.lshift; (x: integer, n: integer): integer; x shifted left
bit.rol; (x: integer, n: integer): integer; x rotated left
bit.ror; (x: integer, n: integer): integer; x rotated right
bit.rshift; (x: integer, n: integer): integer; x shifted right
bit.tobit; (x: number): integer; x modulo 2^32, as a signed number
bit.tohex; (x: integer, digits?: integer): string; hexadecimal digits of x, in capitals if digits is less than 0
bit32.arshift; (x: integer, n: integer): integer; x shifted right, the sign kept
bit32.band; (...: integer): integer; bits that are in all, as an unsigned number
bit32.bnot; (x: integer): integer; every bit turned
bit32.bor; (...: integer): integer; bits that are in any
bit32.btest; (...: integer): boolean; whether any bit is in all
bit32.bxor; (...: integer): integer; bits that are in an odd number of them
bit32.extract; (x: integer, at: integer, width?: integer): integer; width bits of x from bit at, 0 being the lowest
bit32.lrotate; (x: integer, n: integer): integer; x rotated left
bit32.lshift; (x: integer, n: integer): integer; x shifted left, or right for n less than 0
bit32.replace; (x: integer, v: integer, at: integer, width?: integer): integer; x with v in its bits from at
bit32.rrotate; (x: integer, n: integer): integer; x rotated right
bit32.rshift; (x: integer, n: integer): integer; x shifted right, or left for n less than 0
coroutine.create; (fn: function): thread; a coroutine of fn
coroutine.resume; (co: thread, ...: any): boolean, ...: any; lets it go on
coroutine.running; (): thread?; the running one
coroutine.status; (co: thread): string; "suspended", "running", "normal" or "dead"
coroutine.wrap; (fn: function): function; a function that resumes a coroutine of fn
coroutine.yield; (...: any): ...: any; waits to be resumed
math.abs; (x: number): number; x without its sign
math.acos; (x: number): number; arc cosine in radians
math.asin; (x: number): number; arc sine in radians
math.atan; (x: number): number; arc tangent in radians
math.atan2; (y: number, x: number): number; arc tangent of y/x, in the right quadrant
math.ceil; (x: number): integer; the next whole number above
math.cos; (x: number): number; cosine
math.cosh; (x: number): number; hyperbolic cosine
math.deg; (x: number): number; radians in degrees
math.exp; (x: number): number; e to the power x
math.floor; (x: number): integer; the next whole number below
math.fmod; (x: number, y: number): number; what is left of x/y, with the sign of x
math.frexp; (x: number): number, integer; x as m * 2^e
math.huge; number; infinity
math.ldexp; (m: number, e: integer): number; m * 2^e
math.log; (x: number): number; natural logarithm
math.log10; (x: number): number; decimal logarithm
math.max; (x: number, ...: number): number; the largest
math.min; (x: number, ...: number): number; the smallest
math.mod; (x: number, y: number): number; fmod, as Lua 5.0 called it
math.modf; (x: number): number, number; the whole part and the fraction
math.pi; number; 3.14159...
math.pow; (x: number, y: number): number; x to the power y
math.rad; (x: number): number; degrees in radians
math.random; (m?: integer, n?: integer): number; by chance, from the engine's seed: below 1, 1 to m, or m to n
math.randomseed; (x: number); does nothing: chance comes from the engine's seed
math.sin; (x: number): number; sine
math.sinh; (x: number): number; hyperbolic sine
math.sqrt; (x: number): number; square root
math.tan; (x: number): number; tangent
math.tanh; (x: number): number; hyperbolic tangent
os.clock; (): number; the engine's time in seconds since it began
os.date; (format?: string, time?: number): string|table; a date as text
os.time; (t?: table): number; the engine's time in whole seconds since 1970
string.byte; (s: string, i?: integer, j?: integer): ...: integer; the bytes at i to j
string.char; (...: integer): string; a string of these bytes
string.dump; (fn: function): string; always fails: compiled Lua does not load
string.find; (s: string, pattern: string, init?: integer, plain?: boolean): integer?, integer?, ...: string; where pattern is found, and its captures
string.format; (format: string, ...: any): string; text of values, as C's printf
string.gfind; (s: string, pattern: string): function; gmatch, as Lua 5.0 called it
string.gmatch; (s: string, pattern: string): function; for captures over all matches
string.gsub; (s: string, pattern: string, repl: string|table|function, n?: integer): string, integer; s with matches replaced, and how many were
string.len; (s: string): integer; how many bytes
string.lower; (s: string): string; in small letters
string.match; (s: string, pattern: string, init?: integer): string?, ...: string; the captures of a match
string.pack; (format: string, ...: any): string; bytes of values, as Lua 5.3 packs them; big-endian
string.packsize; (format: string): integer; how many bytes string.pack makes
string.rep; (s: string, n: integer, sep?: string): string; s again and again
string.reverse; (s: string): string; from back to front
string.sub; (s: string, i: integer, j?: integer): string; the bytes from i to j
string.unpack; (format: string, s: string, pos?: integer): ...: any; the values in bytes, and the position after them
string.upper; (s: string): string; in capital letters
table.concat; (list: table, sep?: string, i?: integer, j?: integer): string; the strings of a list as one
table.foreach; (t: table, fn: function): any; calls fn for every key and value
table.foreachi; (list: table, fn: function): any; calls fn for every index and value
table.getn; (list: table): integer; #list
table.insert; (list: table, pos: any, v?: any); puts v at pos, or at the end
table.maxn; (t: table): number; the largest numeric key
table.remove; (list: table, pos?: integer): any; takes the value at pos, or the last, out
table.setn; (list: table, n: integer); obsolete
table.sort; (list: table, less?: fun(a: any, b: any): boolean); sorts a list in place
`

const luaTrusted = `
collectgarbage; (option?: string, arg?: number): any; asks for a collection
debug; table; Lua's debug library
dofile; (path?: string): ...: any; runs a file
getfenv; (fn?: any): table; the globals that a function sees
io; table; Lua's io library
loadfile; (path?: string): function?, string?; compiles a file
module; (name: string, ...: any); makes a module, as Lua 5.1 did
newproxy; (v?: any): userdata; an empty userdata
os.difftime; (b: number, a: number): number; b - a
os.execute; (command?: string): integer; runs a command of the system
os.exit; (status?: integer); ends the process at once: use stop
os.getenv; (name: string): string?; a variable of the environment
os.remove; (path: string): boolean?, string?; deletes a file
os.rename; (from: string, to: string): boolean?, string?; gives a file another name
os.setenv; (name: string, value: string): boolean?, string?; sets a variable of the environment
os.setlocale; (locale: string, category?: string): string?; does nothing of use
os.tmpname; (): string; a name for a temporary file
package; table; Lua's package library
setfenv; (fn: any, t: table): any; sets the globals that a function sees
`
