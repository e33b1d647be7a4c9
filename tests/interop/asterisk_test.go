package interop

import (
	"math"
	"strings"
	"testing"
	"time"

	"ringmaster/tests/asterisk"
	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// exchange is one running Asterisk and a server of its own for each test.
type exchange struct{ *asterisk.Server }

// add adds the phone of a user of the exchange.
func (x exchange) add(t *testing.T, c *mcpclient.Client, id, user string) *phones.Phone {
	t.Helper()
	p := phones.Add(t, c, id, mcpclient.Args{"domain": x.Addr, "username": user, "password": x.Password})
	if !p.Added.Bool("is_registered") {
		t.Fatalf("%s is not registered: %s", user, p.Added.Text)
	}
	return p
}

// uri is an extension of the exchange.
func (x exchange) uri(extension string) string { return "sip:" + extension + "@" + x.Addr }

// pair starts a server with phones a (6001) and b (6002).
func (x exchange) pair(t *testing.T) (a, b *phones.Phone) {
	t.Helper()
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	return x.add(t, c, "a", "6001"), x.add(t, c, "b", "6002")
}

func TestThroughAsterisk(t *testing.T) {
	t.Parallel() // to other tests; its own cases share users
	x := exchange{asterisk.Start(t)}
	for _, c := range []struct {
		name string
		test func(*testing.T, exchange)
	}{
		{"registration", registration},
		{"wrong password", wrongPassword},
		{"audio both ways", audioBothWays},
		{"digits both ways", digitsBothWays},
		{"digits both ways by INFO", digitsByInfo},
		{"message", message},
		{"callee hangs up", calleeHangsUp},
		{"exchange hangs up", exchangeHangsUp},
		{"reject 486", reject},
		{"busy extension", busy},
		{"no answer and CANCEL", cancel},
		{"unknown number", unknownNumber},
		{"echo", echo},
		{"refresh", refresh},
		{"ptime 30, asked by the exchange", packetTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			covers(t, c.name, "Asterisk 22")
			c.test(t, x)
		})
	}
}

func registration(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a := x.add(t, c, "a", "6001")
	status := a.Do("get_registration_status", nil)
	if !status.Bool("is_registered") || status.Int("status_code") != 200 || status.Int("expires") <= 0 {
		t.Errorf("get_registration_status answers %s", status.Text)
	}
	if !x.HasContact(t, "6001") {
		t.Error("Asterisk has no contact of 6001")
	}
	a.Do("unregister", nil)
	if x.HasContact(t, "6001") {
		t.Error("after unregister, Asterisk still has a contact of 6001")
	}
	if again := a.Do("register", nil); !again.Bool("is_registered") {
		t.Errorf("register answers %s", again.Text)
	}
	if !x.HasContact(t, "6001") {
		t.Error("after register, Asterisk has no contact of 6001")
	}
	c.Must("drop_phone", mcpclient.Args{"phone_id": "a"})
	if x.HasContact(t, "6001") {
		t.Error("after drop_phone, Asterisk still has a contact of 6001")
	}
}

func wrongPassword(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	p := phones.Add(t, c, "a", mcpclient.Args{"domain": x.Addr, "username": "6001", "password": "wrong"})
	if p.Added.Bool("is_registered") || p.Added.Int("status_code") != 401 || p.Added.String("reason") == "" {
		t.Errorf("add_phone answers %s", p.Added.Text)
	}
	put := c.Must("update_phone", mcpclient.Args{"phone_id": "a", "password": x.Password})
	if !put.Bool("is_registered") || !put.Bool("reregistered") {
		t.Errorf("with the right password, update_phone answers %s", put.Text)
	}
}

// refresh: 6003 gets 10 seconds at most, by SHA-256, and keeps its
// registration by a second REGISTER that Asterisk accepts in that time.
func refresh(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	p := x.add(t, c, "c", "6003")
	// Asterisk grants what is left of the 10, in whole seconds.
	if got := p.Added.Int("expires"); got < 9 || got > 10 {
		t.Errorf("expires is %d, want the 10 that Asterisk grants", got)
	}
	first := x.Accepted("REGISTER", "6003")
	c.Until(10*time.Second, "a second REGISTER of 6003 that Asterisk accepted", "c_get_registration_status", nil,
		func(mcpclient.Answer) bool { return x.Accepted("REGISTER", "6003") > first })
	if status := p.Do("get_registration_status", nil); !status.Bool("is_registered") {
		t.Errorf("after its refresh: %s", status.Text)
	}
	if !x.HasContact(t, "6003") {
		t.Error("Asterisk has lost the contact of 6003")
	}
}

func audioBothWays(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	a.Plays(atA, 600)
	b.Plays(atB, 1000)
	a.Receives(atA, phones.Talking)
	b.Receives(atB, phones.Talking)
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 200)
	b.Ends(atB, 200)
	for p, call := range map[*phones.Phone]int{a: atA, b: atB} {
		r := p.Recording(call)
		p.Heard(r, 600)
		p.Heard(r, 1000)
	}
}

func digitsBothWays(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	b.Digits(a.Sends(atA, "1234567890*#"), atB, "1234567890*#")
	a.Digits(b.Sends(atB, "55D"), atA, "55D")
	// Two strings wait for each other; a comma is a pause.
	first := a.Sends(atA, "12,3")
	a.Sends(atA, "33")
	b.Digits(first, atB, "12333")
}

// digitsByInfo: Asterisk offers 6000 no telephone-event, takes its INFO and
// sends it the other's digits as such; the other never hears of it.
func digitsByInfo(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a, b := x.add(t, c, "a", "6000"), x.add(t, c, "b", "6002")
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	b.Digits(a.Sends(atA, "1234567890*#A"), atB, "1234567890*#A")
	after := b.Sends(atB, "55D")
	a.Digits(after, atA, "55D")
	for phone, method := range map[*phones.Phone]string{a: "info", b: "rfc4733"} {
		for _, kind := range []string{"dtmf.in", "dtmf.out"} {
			event, _ := phone.Sees(0, kind, nil)
			if got := event.Object("data").String("method"); got != method {
				t.Errorf("%s of %s came by %s, want %s", kind, phone.ID, got, method)
			}
		}
	}
}

func message(t *testing.T, x exchange) {
	a, b := x.pair(t)
	a.Do("send_message", mcpclient.Args{"dest_uri": x.uri("6002"), "body": "hello b"})
	in := b.Messages(1)
	if in[0].String("body") != "hello b" || !strings.Contains(in[0].String("from"), "6001") {
		t.Errorf("b received %s", in[0].Text)
	}
}

func calleeHangsUp(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA, atB := phones.Talk(a, b, x.uri("6002"))
	b.Do("hangup", mcpclient.Args{"call_id": atB})
	a.Ends(atA, 200)
	b.Ends(atB, 200)
}

func exchangeHangsUp(t *testing.T, x exchange) {
	a, _ := x.pair(t)
	call := a.Call(x.uri("7004"))
	a.Reaches(call, "CONFIRMED")
	a.Ends(call, 200)
}

func reject(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA := a.Call(x.uri("6002"))
	atB := b.Rings()
	b.Do("reject_call", mcpclient.Args{"call_id": atB, "status_code": 486})
	a.Ends(atA, 486)
	b.Ends(atB, 486)
}

func busy(t *testing.T, x exchange) {
	a, _ := x.pair(t)
	a.Ends(a.Call(x.uri("7002")), 486)
}

// cancel: a phone that nobody answers, and an extension that rings for ever.
func cancel(t *testing.T, x exchange) {
	a, b := x.pair(t)
	atA := a.Call(x.uri("6002"))
	atB := b.Rings()
	b.Do("answer_call", mcpclient.Args{"call_id": atB, "status_code": 180})
	a.Reaches(atA, "EARLY")
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 487)
	b.Ends(atB, 487)

	atA = a.Call(x.uri("7003"))
	a.Reaches(atA, "EARLY")
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 487)
}

func unknownNumber(t *testing.T, x exchange) {
	a, _ := x.pair(t)
	a.Ends(a.Call(x.uri("4711")), 404)
}

// packetTime: 6009 is told to send packets of 30 ms.
func packetTime(t *testing.T, x exchange) {
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	a := x.add(t, c, "a", "6009")
	call := a.Call(x.uri("7001"))
	a.Reaches(call, "CONFIRMED")
	a.Plays(call, 600)
	a.Receives(call, phones.Talking)
	a.Do("hangup", nil)
	info := a.Ends(call, 200)
	if rtp := info.Object("rtp"); rtp.Int("tx_bytes") != 240*rtp.Int("tx_packets") {
		t.Errorf("packets are not of 240 bytes: %s", rtp.Text)
	}
	if heard := info.Object("heard"); math.Abs(number(t, heard, "tone_hz")-600) > 2 || math.Abs(number(t, heard, "level_dbov")-phones.ToneLevel) > 1 {
		t.Errorf("of 600 Hz, echoed, %s was heard", heard.Text)
	}
}

// echo: what one phone plays comes back to it, and it hears a tone that the
// exchange itself makes.
func echo(t *testing.T, x exchange) {
	a, _ := x.pair(t)
	call := a.Call(x.uri("7001"))
	a.Reaches(call, "CONFIRMED")
	a.Receives(call, time.Second)
	a.Do("hangup", nil)

	call = a.Call(x.uri("7005"))
	a.Reaches(call, "CONFIRMED")
	a.Plays(call, 600)
	a.Receives(call, phones.Talking)
	a.Do("hangup", nil)
	r := a.Recording(call)
	if hz, level := r.Between(r.Duration()-time.Second, r.Duration()).Loudest(800, 2000); hz < 1002 || hz > 1006 || level < -30 {
		t.Errorf("the 1004 Hz of the exchange are recorded as %g Hz at %.1f dBov", hz, level)
	}
}
