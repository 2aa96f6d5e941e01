"""A reflector as one writes it in Python without a library: os.read, slices, os.write."""
import fcntl
import os
import struct
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000

fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", sys.argv[1].encode(), IFF_TUN | IFF_NO_PI))
while True:
    p = os.read(fd, 2048)
    if p[0] == 0x45 and p[9] == 17:
        os.write(fd, p[:12] + p[16:20] + p[12:16] + p[22:24] + p[20:22] + p[24:])
