package doctor

import (
	"fmt"

	"github.com/tunscript/tunscript/tundev/host"
)

// checkForwarding: packets of the script that are for somebody behind this host stay
// here. That they should go on is asked (Beyond), or seen by the kernel's counter.
func checkForwarding(v *view) ([]Finding, error) {
	if !v.there() {
		return nil, nil
	}
	name, key := "net/ipv4/conf/"+v.name+"/forwarding", "net/ipv4/ip_forward"
	if v.q.Beyond.Is6() {
		name, key = "net/ipv6/conf/all/forwarding", "net/ipv6/conf/all/forwarding"
	}
	on := number(name) == 1
	if v.q.Beyond.IsValid() {
		way, err := v.h.Way(v.q.Beyond)
		switch {
		case err != nil || way.Local:
			return nil, err
		case way.Device == "":
			return []Finding{v.finding("no route", fmt.Sprintf("no route leads on to %s", v.q.Beyond), nil, "ip route add default via GATEWAY")}, nil
		}
	}
	n := counter("snmp", "Ip", "InAddrErrors")
	if on || !v.q.Beyond.IsValid() && (n == 0 || v.link.Received == 0) {
		return nil, nil
	}
	problem := fmt.Sprintf("forwarding is off, so packets of the script to %s end here", v.q.Beyond)
	if !v.q.Beyond.IsValid() {
		problem = fmt.Sprintf("forwarding is off, and %d packets, on all devices, were for addresses that are not this host's: they ended here", n)
	}
	return []Finding{v.finding("forwarding", problem, func(*host.Handle) error { return setNumber(key, 1) }, sysctlCommand(key, 1))}, nil
}
