package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"ringmaster/tests/certs"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// direct is a phone without a registrar, with these arguments of add_phone.
func direct(t *testing.T, c *mcpclient.Client, id string, args ...mcpclient.Args) *phones.Phone {
	t.Helper()
	all := mcpclient.Args{"register": false}
	for _, a := range args {
		maps.Copy(all, a)
	}
	return phones.Add(t, c, id, all)
}

// overTLS is a phone with a certificate of its own.
func overTLS(ca *certs.Authority) mcpclient.Args {
	cert, key := ca.Sign("127.0.0.1")
	return mcpclient.Args{"transport": "tls", "tls_ca_file": ca.File, "tls_cert_file": cert, "tls_key_file": key}
}

var (
	withSRTP = mcpclient.Args{"srtp": true}
	overTCP  = mcpclient.Args{"transport": "tcp"}
)

func TestAudioOverEachTransport(t *testing.T) {
	t.Parallel()
	ca := certs.New(t)
	for name, args := range map[string]func() []mcpclient.Args{
		"tcp":           func() []mcpclient.Args { return []mcpclient.Args{overTCP} },
		"tls":           func() []mcpclient.Args { return []mcpclient.Args{overTLS(ca)} },
		"srtp over udp": func() []mcpclient.Args { return []mcpclient.Args{withSRTP} },
		"srtp over tls": func() []mcpclient.Args { return []mcpclient.Args{withSRTP, overTLS(ca)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mcpclient.Start(t, programs, mcpclient.Options{})
			a, b := direct(t, c, "a", args()...), direct(t, c, "b", args()...)
			atA, atB := phones.Talk(a, b, b.URI())
			a.Plays(atA, 600)
			b.Plays(atB, 1000)
			a.Receives(atA, phones.Talking)
			b.Receives(atB, phones.Talking)
			// A key that does not fit makes every packet unreadable; a busy
			// machine makes a few come too late.
			if rtp := b.Do("get_call_info", nil).Object("rtp"); rtp.Int("rx_discard") > rtp.Int("rx_packets")/10 {
				t.Errorf("b could not use %d of %d packets", rtp.Int("rx_discard"), rtp.Int("rx_packets"))
			}
			b.Do("hangup", nil) // the request goes the other way
			a.Ends(atA, 200)
			for p, call := range map[*phones.Phone]int{a: atA, b: atB} {
				r := p.Recording(call)
				p.Heard(r, 600)
				p.Heard(r, 1000)
			}
		})
	}
}

// With srtp there is no call in the clear, whoever begins it.
func TestSRTPIsMandatory(t *testing.T) {
	t.Parallel()
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	secure, plain := direct(t, c, "secure", withSRTP), direct(t, c, "plain")
	for _, pair := range [][2]*phones.Phone{{secure, plain}, {plain, secure}} {
		pair[0].Ends(pair[0].Call(pair[1].URI()), 488)
	}
	c.Must("update_phone", mcpclient.Args{"phone_id": "plain", "srtp": true})
	phones.Talk(plain, secure, secure.URI())
}

func TestTLSTrustsNobodyUnasked(t *testing.T) {
	t.Parallel()
	ca, other := certs.New(t), certs.New(t)
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	b := direct(t, c, "b", overTLS(ca))
	a := direct(t, c, "a", overTLS(other))
	a.Refuses("make_call", mcpclient.Args{"dest_uri": b.URI()}, "certificate", "tls_ca_file")
	direct(t, c, "plain").Refuses("make_call", mcpclient.Args{"dest_uri": b.URI() + ";transport=tls"}, "tls_ca_file")
	careless := direct(t, c, "careless", overTLS(other), mcpclient.Args{"tls_insecure": true})
	careless.Call(b.URI())
	b.Rings()
	if shown := c.Must("get_phone", mcpclient.Args{"phone_id": "careless"}); !shown.Bool("tls_insecure") || shown.String("tls_ca_file") != other.File {
		t.Errorf("get_phone answers %s", shown.Text)
	}
}

func TestBadFilesForTLS(t *testing.T) {
	t.Parallel()
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	ca := certs.New(t)
	cert, _ := ca.Sign("127.0.0.1")
	rubbish := filepath.Join(t.TempDir(), "rubbish.pem")
	if err := os.WriteFile(rubbish, []byte("the quick brown fox"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct {
		args  mcpclient.Args
		words []string
	}{
		{mcpclient.Args{"tls_ca_file": "/nowhere/ca.pem"}, []string{"tls_ca_file", "/nowhere/ca.pem", "not found"}},
		{mcpclient.Args{"tls_ca_file": rubbish}, []string{"tls_ca_file", rubbish}},
		{mcpclient.Args{"tls_cert_file": cert}, []string{"tls_key_file"}},
		{mcpclient.Args{"tls_cert_file": cert, "tls_key_file": rubbish}, []string{cert, rubbish}},
		{mcpclient.Args{"tls_insecure": "yes"}, []string{"tls_insecure"}},
	} {
		args := mcpclient.Args{"phone_id": "a", "username": "a", "password": "p", "domain": "127.0.0.1", "transport": "tls"}
		maps.Copy(args, bad.args)
		c.MustFail("add_phone", args, bad.words...)
	}
	if n := c.Must("list_phones", nil).Int("total_count"); n != 0 {
		t.Errorf("%d phones are half-made", n)
	}
}
