package handset

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
	"ringmaster/tests/certs"
)

// withTLS is a phone with a certificate of its own.
func withTLS(a *certs.Authority) func(*phone.Configuration) {
	cert, key := a.Sign("127.0.0.1")
	return func(c *phone.Configuration) {
		c.Transport, c.TLSCAFile, c.TLSCertFile, c.TLSKeyFile = phone.TLS, a.File, cert, key
	}
}

func TestCallOverTLS(t *testing.T) {
	ca := certs.New(t)
	a, b := newRig(t, "a", 0, withTLS(ca), withSRTP), newRig(t, "b", 1000, withTLS(ca), withSRTP)
	connect(a, b)
	a.do(phone.SendDTMF{Digits: "5"})
	b.awaits("dtmf.in")
	b.do(phone.Hangup{}) // by a connection of its own
	a.awaits("call.state.disconnected")
}

func TestCallOverTCP(t *testing.T) {
	tcp := func(c *phone.Configuration) { c.Transport = phone.TCP }
	a, b := newRig(t, "a", 0, tcp), newRig(t, "b", 1000, tcp)
	connect(a, b)
	b.do(phone.Hangup{})
	a.awaits("call.state.disconnected")
}

func TestStrangersAreNotTrusted(t *testing.T) {
	ca, other := certs.New(t), certs.New(t)
	b := newRig(t, "b", 1000, withTLS(ca))
	stranger := newRig(t, "a", 0, withTLS(other))
	stranger.refuses(phone.MakeCall{DestURI: b.uri()}, phone.Unreachable, "tls_ca_file")
	elsewhere := newRig(t, "c", 2000, withTLS(ca), func(c *phone.Configuration) { c.Domain = "pbx.example:5061" })
	elsewhere.refuses(phone.MakeCall{DestURI: b.uri()}, phone.Unreachable, "pbx.example")
	careless := newRig(t, "d", 3000, withTLS(other), func(c *phone.Configuration) { c.TLSInsecure = true })
	careless.do(phone.MakeCall{DestURI: b.uri()})
	b.awaits("call.state.incoming")
}

func TestFilesForTLS(t *testing.T) {
	ca := certs.New(t)
	cert, key := ca.Sign("127.0.0.1")
	_, otherKey := ca.Sign("127.0.0.1")
	rubbish := filepath.Join(t.TempDir(), "rubbish.pem")
	if err := os.WriteFile(rubbish, []byte("the quick brown fox"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name          string
		ca, cert, key string
		words         string // "" means that all is well
	}{
		{"none", "", "", "", ""},
		{"all", ca.File, cert, key, ""},
		{"missing CA", "/nowhere/ca.pem", "", "", "tls_ca_file /nowhere/ca.pem not found"},
		{"CA that is none", rubbish, "", "", "tls_ca_file " + rubbish + " holds no certificate in PEM form"},
		{"CA that is a key", key, "", "", "holds no certificate"},
		{"folder", t.TempDir(), "", "", "is not a regular file"},
		{"no key", "", cert, "", "without tls_key_file"},
		{"no certificate", "", "", key, "without tls_cert_file"},
		{"missing certificate", "", "/nowhere/cert.pem", key, "tls_cert_file /nowhere/cert.pem not found"},
		{"missing key", "", cert, "/nowhere/key.pem", "tls_key_file /nowhere/key.pem not found"},
		{"another's key", "", cert, otherKey, "are no certificate and its key"},
		{"certificate that is none", "", rubbish, key, "are no certificate and its key"},
	} {
		h := New("Ringmaster/test", hclog.NewNullLogger())
		_, err := h.Configure(context.Background(), phone.Configuration{Settings: phone.Settings{
			PhoneID: "a", Domain: "127.0.0.1", Username: "a", Transport: phone.TLS,
			TLSCAFile: row.ca, TLSCertFile: row.cert, TLSKeyFile: row.key,
		}})
		h.Close()
		var e *phone.Error
		invalid := errors.As(err, &e) && e.Kind == phone.Invalid
		if row.words == "" && err != nil || row.words != "" && (!invalid || !strings.Contains(err.Error(), row.words) || strings.Contains(err.Error(), "quick")) {
			t.Errorf("%s: %v, want %q", row.name, err, row.words)
		}
	}
}

func TestHostOf(t *testing.T) {
	for domain, want := range map[string]string{
		"pbx.example": "pbx.example", "pbx.example:5061": "pbx.example", "192.0.2.1:5061": "192.0.2.1", "[2001:db8::1]:5061": "2001:db8::1", "[2001:db8::1]": "2001:db8::1",
	} {
		if got := hostOf(domain); got != want {
			t.Errorf("%s: %q, want %q", domain, got, want)
		}
	}
}
