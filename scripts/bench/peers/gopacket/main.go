//go:build linux

// Command gopacket is a reflector as one writes it in Go without this module: os.File,
// which waits in the runtime's poller, and gopacket, used as its documentation says is
// fastest: layers decoded in place, serialised into a buffer that is used again.
package main

import (
	"log"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"golang.org/x/sys/unix"
)

func main() {
	dev, err := open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var (
		ip      layers.IPv4
		udp     layers.UDP
		payload gopacket.Payload
		found   []gopacket.LayerType
	)
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, &ip, &udp, &payload)
	parser.IgnoreUnsupported = true
	out := gopacket.NewSerializeBuffer()
	opt := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	b := make([]byte, 2048)
	for {
		n, err := dev.Read(b)
		if err != nil {
			log.Fatal(err)
		}
		if parser.DecodeLayers(b[:n], &found) != nil || len(found) < 2 || found[1] != layers.LayerTypeUDP {
			continue
		}
		ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
		udp.SrcPort, udp.DstPort = udp.DstPort, udp.SrcPort
		udp.SetNetworkLayerForChecksum(&ip)
		if err := gopacket.SerializeLayers(out, opt, &ip, &udp, payload); err != nil {
			log.Fatal(err)
		}
		if _, err := dev.Write(out.Bytes()); err != nil {
			log.Print(err)
		}
	}
}

// open makes the device's descriptor one that the poller can wait for: after TUNSETIFF,
// as one that is polled before never wakes.
func open(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ifr, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	ifr.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr); err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil { // before NewFile, which looks at it
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
