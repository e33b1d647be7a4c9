package interop

import (
	"maps"
	"strings"
	"testing"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

func TestSecureThroughAsterisk(t *testing.T) {
	t.Parallel() // to other tests; its own cases share users
	x := exchange{asterisk.Start(t)}
	for _, c := range []struct {
		name string
		test func(*testing.T, exchange)
	}{
		{"tcp", overTCP},
		{"tls", overTLS},
		{"srtp both", secureBoth},
		{"srtp on one side", secureOneSide},
		{"srtp after re-INVITE", secureReinvite},
		{"srtp is mandatory", secureMandatory},
		{"tls without trust", noTrust},
		{"connection lost", connectionLost},
	} {
		t.Run(c.name, func(t *testing.T) {
			covers(t, c.name, "Asterisk 22")
			c.test(t, x)
		})
	}
}

// addOver adds the phone of a user, with more arguments of add_phone.
func (x exchange) addOver(t *testing.T, c *mcpclient.Client, id, user string, more mcpclient.Args) *phones.Phone {
	t.Helper()
	args := mcpclient.Args{"domain": x.Addr, "username": user, "password": x.Password}
	maps.Copy(args, more)
	p := phones.Add(t, c, id, args)
	if !p.Added.Bool("is_registered") {
		t.Fatalf("%s is not registered: %s", user, p.Added.Text)
	}
	return p
}

// tls are the arguments of a phone that only makes connections.
func (x exchange) tls() mcpclient.Args {
	return mcpclient.Args{"domain": x.TLSAddr, "transport": "tls", "tls_ca_file": x.Authority.File}
}

// reachable are those of one that Asterisk can connect to.
func (x exchange) reachable() mcpclient.Args {
	args := x.tls()
	args["tls_cert_file"], args["tls_key_file"] = x.Authority.Sign("127.0.0.1")
	return args
}

func with(args, more mcpclient.Args) mcpclient.Args {
	maps.Copy(args, more)
	return args
}

var srtp = mcpclient.Args{"srtp": true}

// converse lets a call b, checks what both hear, and ends the call from b.
func converse(a, b *phones.Phone, uri string) {
	atA, atB := phones.Talk(a, b, uri)
	hear(a, b, atA, atB)
}

func hear(a, b *phones.Phone, atA, atB int) {
	a.Plays(atA, 600)
	b.Plays(atB, 1000)
	a.Receives(atA, phones.Talking)
	b.Receives(atB, phones.Talking)
	b.Do("hangup", mcpclient.Args{"call_id": atB})
	a.Ends(atA, 200)
	b.Ends(atB, 200)
	for p, call := range map[*phones.Phone]int{a: atA, b: atB} {
		r := p.Recording(call)
		p.Heard(r, 600)
		p.Heard(r, 1000)
	}
}

func overTCP(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	tcp := mcpclient.Args{"transport": "tcp"}
	a, b := x.addOver(t, c, "a", "6001", tcp), x.addOver(t, c, "b", "6002", tcp)
	converse(a, b, x.uri("6002"))
}

// overTLS: 6001 has a certificate, and Asterisk connects to it; 6004 has none,
// and is called through the connection that it has made.
func overTLS(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a := x.addOver(t, c, "a", "6001", x.reachable())
	b := x.addOver(t, c, "b", "6004", with(x.tls(), srtp))
	converse(a, b, "sip:6004@"+x.TLSAddr)
	converse(b, a, "sip:6001@"+x.TLSAddr)
	b.Do("unregister", nil)
	if x.HasContact(t, "6004") {
		t.Error("after unregister, Asterisk still has a contact of 6004")
	}
}

// secureBoth: Asterisk decrypts and encrypts again, with HMAC_SHA1_80 on one
// side and, where it begins the call, HMAC_SHA1_32 on the other.
func secureBoth(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a := x.addOver(t, c, "a", "6004", with(x.tls(), srtp))
	b := x.addOver(t, c, "b", "6005", with(x.reachable(), srtp))
	converse(a, b, "sip:6005@"+x.TLSAddr)
	if suite := x.SuiteOffered("6005"); suite != "AES_CM_128_HMAC_SHA1_32" {
		t.Errorf("Asterisk offered 6005 %q", suite)
	}
	converse(b, a, "sip:6004@"+x.TLSAddr)
	if suite := x.SuiteOffered("6004"); suite != "AES_CM_128_HMAC_SHA1_80" {
		t.Errorf("Asterisk offered 6004 %q", suite)
	}
}

// secureOneSide: the other phone speaks RTP in the clear.
func secureOneSide(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a := x.addOver(t, c, "a", "6001", nil)
	b := x.addOver(t, c, "b", "6005", srtp)
	converse(a, b, x.uri("6005"))
	converse(b, a, x.uri("6001"))
}

// secureReinvite: re-INVITEs from both sides leave the keys in order.
func secureReinvite(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a, b := x.addOver(t, c, "a", "6004", with(x.tls(), srtp)), x.addOver(t, c, "b", "6005", srtp)
	atA, atB := phones.Talk(a, b, "sip:6005@"+x.TLSAddr)
	for _, id := range []string{"a", "b"} {
		for _, codec := range []string{"G722", "PCMU"} {
			c.Must("update_phone", mcpclient.Args{"phone_id": id, "codecs": []string{codec}})
		}
	}
	hear(a, b, atA, atB)
	for p, call := range map[*phones.Phone]int{a: atA, b: atB} {
		if n := p.Do("get_call_info", mcpclient.Args{"call_id": call}).Object("rtp").Int("rx_discard"); n > 5 {
			t.Errorf("%s could not read %d packets", p.ID, n)
		}
	}
}

// secureMandatory: neither side gives way.
func secureMandatory(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a, b := x.addOver(t, c, "a", "6001", srtp), x.addOver(t, c, "b", "6004", nil)
	a.Ends(a.Call(x.uri("7001")), 488) // Asterisk has no SRTP for 6001
	b.Ends(b.Call(x.uri("7001")), 488) // and nothing else for 6004
	d := x.addOver(t, c, "d", "6002", nil)
	// Asterisk offers 6004 SRTP, which the phone does not speak, and 6001 RTP,
	// which the phone does not want.
	for _, to := range []string{"6004", "6001"} {
		d.Ends(d.Call(x.uri(to)), 488)
	}
}

// noTrust: without the CA's certificate there is no registration; with it, or
// when told not to ask, there is, by a name as well as by an address.
func noTrust(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	p := phones.Add(t, c, "a", mcpclient.Args{"domain": x.TLSAddr, "transport": "tls", "username": "6001", "password": x.Password})
	if p.Added.Bool("is_registered") || !strings.Contains(p.Added.String("reason"), "tls_ca_file") {
		t.Errorf("add_phone answers %s", p.Added.Text)
	}
	byName := with(x.tls(), mcpclient.Args{"domain": strings.Replace(x.TLSAddr, "127.0.0.1", "localhost", 1)})
	a := x.addOver(t, c, "a", "6004", with(byName, srtp))
	call := a.Call("sip:7001@" + byName["domain"].(string))
	a.Reaches(call, "CONFIRMED")
	a.Do("hangup", nil)
	x.addOver(t, c, "a", "6004", mcpclient.Args{"domain": x.TLSAddr, "transport": "tls", "tls_insecure": true})
}

// connectionLost: Asterisk forgets a phone whose connection has ended; the
// phone comes back by itself, long before its registration is to be refreshed,
// and can be called again.
func connectionLost(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	r := newRelay(t, x.TLSAddr)
	a := x.addOver(t, c, "a", "6004", with(x.tls(), mcpclient.Args{"domain": r.addr, "srtp": true}))
	b := x.addOver(t, c, "b", "6001", nil)
	before := x.Accepted("REGISTER", "6004")
	r.cut()
	c.Until(phones.Patience, "a second REGISTER of 6004 that Asterisk accepted", "a_get_registration_status", nil,
		func(mcpclient.Answer) bool { return x.Accepted("REGISTER", "6004") > before })
	atB := b.Call(x.uri("6004"))
	a.Answers()
	b.Reaches(atB, "CONFIRMED")
}
