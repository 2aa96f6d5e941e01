package link

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
)

// secure is TLS 1.3 as c wants it; nil: none.
func secure(c Config) (*tls.Config, error) {
	if !c.tls() {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"tunscript"}}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, certError(c, "load "+c.Cert, err, "name a PEM file with the certificate in cert, and one with its key in key")
		}
		t.Certificates = []tls.Certificate{pair}
	}
	var signers *x509.CertPool
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err == nil {
			if signers = x509.NewCertPool(); !signers.AppendCertsFromPEM(pem) {
				err = errors.New("there is no certificate in it")
			}
		}
		if err != nil {
			return nil, certError(c, "load "+c.CA, err, "name a PEM file with the certificate that signed the other end's")
		}
	}
	if c.waits() {
		t.ClientCAs, t.ClientAuth = signers, tls.RequireAndVerifyClientCert
		if c.Insecure {
			t.ClientAuth = tls.RequestClientCert
		}
		return t, nil
	}
	t.RootCAs, t.InsecureSkipVerify = signers, c.Insecure
	t.ServerName, _, _ = net.SplitHostPort(c.Remote)
	return t, nil
}

func certError(c Config, op string, err error, fix string) error {
	return &Error{Op: op, Device: c.Name, Kind: ErrCertificate, Err: err, Fix: fix}
}
