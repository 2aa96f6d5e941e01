"""A reflector as one writes it with Scapy: layers by name, checksums computed anew.

The device is read by os.read, as Scapy's own sockets would only cost more.
"""
import fcntl
import os
import struct
import sys

from scapy.layers.inet import IP, UDP

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000

fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", sys.argv[1].encode(), IFF_TUN | IFF_NO_PI))
while True:
    raw = os.read(fd, 2048)
    if raw[0] >> 4 != 4:
        continue
    p = IP(raw)
    if UDP in p:
        p.src, p.dst = p.dst, p.src
        p[UDP].sport, p[UDP].dport = p[UDP].dport, p[UDP].sport
        del p.chksum, p[UDP].chksum
        os.write(fd, bytes(p))
