package config

import "net/netip"

// link checks the ends of a tunnel link, and its TLS.
func (k *checker) link(key string, i int) {
	d := &k.c.Devices[i]
	local, remote := d.Local, d.Remote
	if !k.fine(key+".local", key+".remote") {
		return
	}
	far, err := netip.ParseAddr(remote.Host)
	literal := err == nil
	switch {
	case !local.IsValid() && remote == (HostPort{}):
		k.wrong(key+".remote", "add remote to connect, local to wait for the other end, or both", "a %s link needs an end", d.Kind)
	case local.IsValid() && local.Addr().IsMulticast():
		k.wrong(key+".local", "", "%s is a multicast address, no station has it as its own", local.Addr())
	case local.IsValid() && local.Port() == 0 && remote == (HostPort{}):
		k.wrong(key+".local", "choose one", "nobody can connect to a port that nobody knows")
	case literal && far.IsUnspecified():
		k.wrong(key+".remote", "", "%s means no address at all", far)
	case literal && far.IsMulticast() && d.Kind == TCP:
		k.wrong(key+".remote", "", "%s is a multicast address, and TCP has two ends", far)
	case literal && local.IsValid() && local.Addr().Is4() != far.Is4():
		k.wrong(key+".remote", "", "%s is %s, and local is not", far, family(far))
	case literal && local == netip.AddrPortFrom(far, remote.Port):
		k.wrong(key+".remote", "", "%s is local, too", remote)
	}
	for j, other := range k.c.Devices[:i] {
		if local.IsValid() && local.Port() != 0 && other.Local == local && other.Kind == d.Kind {
			k.wrong(key+".local", "choose another port", "%s listens on %s, too", elem("device", j+1), local)
			break
		}
	}
	if d.Kind == TCP {
		k.tls(key, d)
	}
	k.exposed(key, d)
}

// exposed refuses to take packets from whoever on the network sends some, unless the
// file says in words that it is meant so.
func (k *checker) exposed(key string, d *Device) {
	listens := d.Local.IsValid() && (d.Remote == (HostPort{}) || d.Kind == UDP)
	if !listens || d.Insecure || d.Cert != "" || d.Local.Addr().Unmap().IsLoopback() ||
		!k.fine(key+".local", key+".cert", key+".insecure") {
		return
	}
	hint := "add cert, key and ca, or insecure = true if that is meant"
	if d.Kind == UDP {
		hint = `use kind = "tcp" with cert, key and ca, or add insecure = true if that is meant`
	}
	k.wrong(key+".local", hint, "anybody who reaches %s could send packets", d.Local)
}

func (k *checker) tls(key string, d *Device) {
	if !k.fine(key+".cert", key+".key", key+".ca", key+".insecure") {
		return
	}
	listens := d.Remote == (HostPort{})
	switch {
	case d.Cert != "" && d.Key == "":
		k.wrong(key+".cert", "add key", "a certificate needs its key")
	case d.Key != "" && d.Cert == "":
		k.wrong(key+".key", "add cert", "a key needs its certificate")
	case d.Insecure && d.CA != "":
		k.wrong(key+".insecure", "leave one of them out", "insecure accepts any certificate, ca only some")
	case listens && d.Cert == "" && d.CA != "":
		k.wrong(key+".cert", "add cert and key", "the end that waits for TLS needs a certificate")
	case listens && d.Cert != "" && d.CA == "" && !d.Insecure:
		k.wrong(key+".cert", "add ca, or insecure = true to let everybody in", "nothing says whose certificates may connect")
	}
}
