package sipnet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// testTLS is a self-signed certificate for pbx.test and 127.0.0.1, trusting
// itself.
func testTLS(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"pbx.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      pool, MinVersion: tls.VersionTLS12,
	}
}

func TestTLSVerifiesTheName(t *testing.T) {
	cfg := testTLS(t)
	over := func(c *Config) { c.Listen, c.TLS = []phone.Transport{phone.TLS}, cfg }
	a, b := newEndpoint(t, over), newEndpoint(t, over)
	for host, ok := range map[string]bool{"pbx.test": true, "PBX.test": true, "": true, "other.test": false} {
		to := b.target(phone.TLS)
		to.Host = host
		err := a.sendAndWait(request(t), to)
		if ok && err == nil {
			b.next()
		}
		if (err == nil) != ok {
			t.Errorf("%q: %v", host, err)
		}
		if !ok && !strings.Contains(err.Error(), "no TLS with 127.0.0.1:") {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestTLSWithoutCertificateOnlyConnects(t *testing.T) {
	cfg := testTLS(t)
	server := newEndpoint(t, func(c *Config) { c.Listen, c.TLS = []phone.Transport{phone.TLS}, cfg })
	client := newEndpoint(t, func(c *Config) {
		c.Listen, c.TLS = []phone.Transport{phone.TLS}, &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}
	})
	if err := client.sendAndWait(request(t), server.target(phone.TLS)); err != nil {
		t.Fatal(err)
	}
	// What came shows the way back.
	if err := server.sendAndWait(request(t), server.next().back); err != nil {
		t.Fatal(err)
	}
	client.next()
	if err := server.sendAndWait(request(t), client.target(phone.TLS)); err == nil {
		t.Error("a phone without certificate was connected to")
	}
}

// A server that was found by name gives an address in its Contact: it is asked
// for the name, through the same connection.
func TestTLSNameStandsForAddresses(t *testing.T) {
	cfg := testTLS(t)
	server := newEndpoint(t, func(c *Config) { c.Listen, c.TLS = []phone.Transport{phone.TLS}, cfg })
	for name, ok := range map[string]bool{"pbx.test": true, "other.test": false} {
		client := newEndpoint(t, func(c *Config) { c.Listen, c.TLS, c.TLSName = []phone.Transport{phone.TLS}, cfg, name })
		to := server.target(phone.TLS)
		for _, host := range []string{name, "127.0.0.1"} {
			to.Host = host
			if err := client.sendAndWait(request(t), to); (err == nil) != ok {
				t.Errorf("%s, by %s: %v", host, name, err)
			}
		}
		if !ok {
			continue
		}
		if first, second := server.next(), server.next(); first.back != second.back {
			t.Errorf("by two connections, from %v and %v", first.back, second.back)
		}
	}
}
