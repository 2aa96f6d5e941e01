-- The C reflector's loop in LuaJIT: what a script costs where the FFI reaches the
-- system calls and the packet's bytes, and nothing stands between.
local ffi = require "ffi"
ffi.cdef [[
int open(const char *path, int flags);
int ioctl(int fd, unsigned long request, void *arg);
long read(int fd, void *buf, size_t n);
long write(int fd, const void *buf, size_t n);
struct ifreq { char name[16]; short flags; char rest[22]; };
]]
local C = ffi.C
local O_RDWR, TUNSETIFF, IFF_TUN, IFF_NO_PI = 2, 0x400454ca, 1, 0x1000

local fd = C.open("/dev/net/tun", O_RDWR)
local ifr = ffi.new("struct ifreq")
ffi.copy(ifr.name, arg[1])
ifr.flags = IFF_TUN + IFF_NO_PI
assert(fd >= 0 and C.ioctl(fd, TUNSETIFF, ifr) == 0, "cannot open the device")

local p = ffi.new("uint8_t[2048]")
while true do
  local n = tonumber(C.read(fd, p, 2048))
  if n >= 28 and p[0] == 0x45 and p[9] == 17 then
    for i = 12, 15 do p[i], p[i + 4] = p[i + 4], p[i] end
    for i = 20, 21 do p[i], p[i + 2] = p[i + 2], p[i] end
    C.write(fd, p, n)
  end
end
