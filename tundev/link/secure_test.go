package link_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tunscript/tunscript/tundev/link"
)

// authority signs certificates, as files.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	CA   string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.CA, _ = a.sign("ca", nil)
	return a
}

// sign makes a certificate for 127.0.0.1, and returns the files of it and its key.
func (a *authority) sign(name string, change func(*x509.Certificate)) (cert, key string) {
	a.t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, by := a.cert, a.key
	if a.cert == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, by = c, k
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &k.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.cert == nil {
		a.key = k
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			a.t.Fatal(err)
		}
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.file(name+".pem", "CERTIFICATE", der), a.file(name+".key", "PRIVATE KEY", secret)
}

func (a *authority) file(name, kind string, der []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// with adds the certificate of name to c.
func (a *authority) with(c link.Config, name string) link.Config {
	c.Cert, c.Key = a.sign(name, nil)
	c.CA = a.CA
	return c
}

func TestTLS(t *testing.T) {
	leaks(t)
	ca := newAuthority(t)
	a := open(t, ca.with(link.Config{Name: "a", Kind: link.TCP, Local: anyPort}, "a"), nil)
	b := open(t, ca.with(link.Config{Name: "b", Kind: link.TCP, Remote: a.dev.Addr()}, "b"), nil)
	b.until("the peer", connected)
	for i := range byte(200) {
		b.send(udp(28+7*int(i), i))
		a.expect(udp(28+7*int(i), i))
		a.send(udp(1500, i))
		b.expect(udp(1500, i))
	}
}

// Who may not be the peer: it is refused and counted, and the next one is not kept waiting.
func TestTLSRefuses(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	theirs, theirKey := others.sign("x", nil)
	old, oldKey := ours.sign("old", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	for _, tt := range []struct {
		name   string
		client link.Config
	}{
		{"without a certificate", link.Config{CA: ours.CA}},
		{"with a certificate of somebody else", link.Config{CA: ours.CA, Cert: theirs, Key: theirKey}},
		{"with a certificate that is too old", link.Config{CA: ours.CA, Cert: old, Key: oldKey}},
		{"that does not trust us", others.with(link.Config{}, "y")},
		{"without TLS", link.Config{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leaks(t)
			a := open(t, ours.with(link.Config{Name: "a", Kind: link.TCP, Local: anyPort}, "a"), nil)
			tt.client.Kind, tt.client.Remote = link.TCP, a.dev.Addr()
			b := open(t, tt.client, nil)
			if tt.client.CA == "" { // it says nothing before it has something to say
				b.until("the peer", connected)
				b.send(udp(1500, 1))
			}
			a.until("a peer that is refused", func(s link.Stats) bool { return s.Refused > 0 })
			b.close()
			c := open(t, ours.with(link.Config{Name: "c", Kind: link.TCP, Remote: a.dev.Addr()}, "c"), nil)
			c.until("the peer", connected)
			c.send(udp(100, 2))
			a.expect(udp(100, 2))
			a.until("the one packet of the right peer", func(s link.Stats) bool { return s.Received == 1 })
		})
	}
}

// Strangers who connect and say nothing keep nobody waiting, and from some number on they
// are refused.
func TestTLSStrangersAtTheDoor(t *testing.T) {
	leaks(t)
	ca := newAuthority(t)
	a := open(t, ca.with(link.Config{Name: "a", Kind: link.TCP, Local: anyPort}, "a"), nil)
	for range 10 {
		dial(t, a)
	}
	began := time.Now()
	b := open(t, ca.with(link.Config{Name: "b", Kind: link.TCP, Remote: a.dev.Addr()}, "b"), nil)
	a.until("the peer", connected)
	b.until("the peer", connected) // who connects knows a little later, and drops until then
	b.send(udp(100, 1))
	a.expect(udp(100, 1))
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("the peer waited %v for strangers", took)
	}
	b.close()
	a.until("nobody", alone)
	for range 10 {
		dial(t, a)
	}
	a.until("the last four are refused", func(s link.Stats) bool { return s.Refused >= 4 })
}

// TLS 1.2 is not spoken.
func TestTLSIsNew(t *testing.T) {
	leaks(t)
	ca := newAuthority(t)
	a := open(t, ca.with(link.Config{Name: "a", Kind: link.TCP, Local: anyPort}, "a"), nil)
	if _, err := tls.Dial("tcp", a.dev.Addr(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("TLS 1.2 was accepted")
	}
	a.until("a peer that is refused", func(s link.Stats) bool { return s.Refused == 1 })
}

func TestWhatIsRefusedBeforeAnythingIsOpened(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.sign("a", nil)
	_, other := ca.sign("b", nil)
	wide := netip.MustParseAddrPort("0.0.0.0:0")
	for _, tt := range []struct {
		name string
		c    link.Config
		want error // nil: it opens
	}{
		{"no kind", link.Config{Local: anyPort}, link.ErrBadConfig},
		{"no end", link.Config{Kind: link.TCP}, link.ErrBadConfig},
		{"no port", link.Config{Kind: link.TCP, Remote: "192.0.2.1"}, link.ErrBadConfig},
		{"an MTU too small", link.Config{Kind: link.TCP, Local: anyPort, MTU: 67}, link.ErrBadConfig},
		{"an MTU too large for a datagram", link.Config{Kind: link.UDP, Local: anyPort, MTU: 65508}, link.ErrBadConfig},
		{"the largest in a datagram", link.Config{Kind: link.UDP, Local: anyPort, MTU: 65507}, nil},
		{"the largest in a stream", link.Config{Kind: link.TCP, Local: anyPort, MTU: 65535}, nil},
		{"TLS in datagrams", link.Config{Kind: link.UDP, Local: anyPort, CA: ca.CA}, link.ErrBadConfig},
		{"a certificate without its key", link.Config{Kind: link.TCP, Local: anyPort, Cert: cert, CA: ca.CA}, link.ErrBadConfig},
		{"a listener without certificate", link.Config{Kind: link.TCP, Local: anyPort, CA: ca.CA}, link.ErrBadConfig},
		{"a listener that lets everybody in and does not say so", link.Config{Kind: link.TCP, Local: anyPort, Cert: cert, Key: key}, link.ErrBadConfig},
		{"one that says so", link.Config{Kind: link.TCP, Local: anyPort, Cert: cert, Key: key, Insecure: true}, nil},
		{"insecure and a CA", link.Config{Kind: link.TCP, Local: anyPort, Cert: cert, Key: key, CA: ca.CA, Insecure: true}, link.ErrBadConfig},
		{"a key of another certificate", link.Config{Kind: link.TCP, Local: anyPort, Cert: cert, Key: other, CA: ca.CA}, link.ErrCertificate},
		{"a CA that is none", link.Config{Kind: link.TCP, Local: anyPort, Cert: cert, Key: key, CA: key}, link.ErrCertificate},
		{"a CA that is not there", link.Config{Kind: link.TCP, Remote: "127.0.0.1:1", CA: "missing.pem"}, link.ErrCertificate},
		{"everywhere, for everybody", link.Config{Kind: link.TCP, Local: wide}, link.ErrInsecure},
		{"everywhere, in datagrams", link.Config{Kind: link.UDP, Local: wide}, link.ErrInsecure},
		{"everywhere, in datagrams to one", link.Config{Kind: link.UDP, Local: wide, Remote: "127.0.0.1:1"}, link.ErrInsecure},
		{"everywhere, and it says so", link.Config{Kind: link.TCP, Local: wide, Insecure: true}, nil},
		{"everywhere, in datagrams, and it says so", link.Config{Kind: link.UDP, Local: wide, Insecure: true}, nil},
		{"everywhere, with TLS", link.Config{Kind: link.TCP, Local: wide, Cert: cert, Key: key, CA: ca.CA}, nil},
		{"an address of somebody else", link.Config{Kind: link.TCP, Local: netip.MustParseAddrPort("192.0.2.99:7001"), Insecure: true}, link.ErrListen},
	} {
		d, err := link.Open(tt.c)
		if err == nil {
			d.Close()
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if e, ok := errors.AsType[*link.Error](err); err != nil && (!ok || e.Fix == "") {
			t.Errorf("%s: %v does not say what to do", tt.name, err)
		}
	}
}
