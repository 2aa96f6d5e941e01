package tundev

// Persistent is a device that stays when nobody has it open, until Delete or a restart
// of the machine. [Create] makes a bare one; addresses and state are package host's.
type Persistent struct {
	Name string // as in Config, "tun%d" included; never empty
	Kind Kind   // TUN
	// MultiQueue: several descriptors may attach at once, and only such that ask for it.
	MultiQueue bool
	// Owner and Group, names or numbers, may attach to it without CAP_NET_ADMIN: with
	// both set, that user where he is in that group.
	Owner, Group string
}

// config is what both ways to a device check and set alike.
func (p Persistent) config() Config {
	return Config{Name: p.Name, Kind: p.Kind, Persist: true, Owner: p.Owner, Group: p.Group, Offload: OffloadOff}
}
