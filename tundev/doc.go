// Package tundev has the devices of an engine: TUN and TAP devices of Linux, and
// Pipe, which is one in memory.
//
// It implements engine.Device, as a driver does, and knows of the engine only that
// interface; of packets that they are bytes with a checksum state. It knows no
// handler and no Lua. What the host sees of a device, such as addresses, routes and
// state, is set through package tundev/host; opening a descriptor and making it
// persistent is done here.
//
// # Descriptors
//
// A queue reads and writes a raw non-blocking descriptor, which the worker polls
// together with everything else it waits for; an os.File through the runtime's poller
// moves half the packets. The order in which it is opened is the only one that works:
// open, TUNSETIFF, non-blocking. Only the worker that reads a descriptor closes it.
// [Device.Close] from elsewhere marks the device and wakes the worker, because a
// descriptor closed under a reader may be a stranger's by the time it reads.
//
// A device with several queues (IFF_MULTI_QUEUE) is a descriptor for each. Which one a packet
// comes by the kernel says: the flow's last write within 3 s, else a hash of addresses and
// ports, of fragments the addresses alone.
//
// # The vnet header
//
// Unless Offload is "off", packets have a vnet header (struct virtio_net_hdr) in front:
// the kernel hands over up to 64 KiB of TCP or UDP segments as one super-packet, and
// leaves transport checksums unfinished; it takes both back. What is negotiated
// (TUNSETOFFLOAD) concerns reading only, and less of it on an older kernel (UDP since
// 6.2) means that packets come smaller. On the way out a kernel may refuse a
// super-packet with EINVAL, as some 6.6 do each of them: then it goes in pieces, and so
// do all of its kind from then on. A checksum stays unfinished from one such device to
// the next; whoever else sees the packet gets it finished.
//
// # Who leaves what behind
//
// A device that Open creates disappears with its descriptor, however the process
// ends. One that was there before, because somebody made it persistent, is attached to
// only if nobody else holds it, and is used as it is: its addresses, MTU and state are
// its owner's. With Config.Manage they are set as for a new one, and put back by Close.
//
// # Devices that are lost
//
// That a device is gone the descriptor alone says (EBADFD, EFAULT); netlink tells what
// else has changed, such as the MTU, on a goroutine of the device (follow_linux.go). The
// engine asks for it again by [Device.Reopen]: one that Open created is made anew with all
// its settings, one that was there before is waited for, and the Device stays the same with
// other queues. What was to be put back on the one that is gone is forgotten, for the next
// of its name is another.
//
// # Memory
//
// A packet is read straight into the buffer of the worker's pool and belongs to the
// worker. The steady state allocates nothing, here and in Pipe.
package tundev
