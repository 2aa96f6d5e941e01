package packet

// UnreachableKind says what cannot be reached, for [Packet.Unreachable].
type UnreachableKind uint8

// The kinds. ICMPv6 has them all, too; its UnreachableFragmentation is a "packet
// too big".
const (
	UnreachablePort UnreachableKind = iota
	UnreachableHost
	UnreachableNet
	UnreachableAdmin
	UnreachableFragmentation
)

// String is the kind's name in scripts, such as "port".
func (k UnreachableKind) String() string {
	switch k {
	case UnreachablePort:
		return "port"
	case UnreachableHost:
		return "host"
	case UnreachableNet:
		return "net"
	case UnreachableAdmin:
		return "admin"
	case UnreachableFragmentation:
		return "fragmentation"
	}
	return "unknown"
}
