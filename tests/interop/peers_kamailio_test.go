package interop

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/peers"
	"ringmaster/tests/phones"
)

// proxied is our phones behind one Kamailio.
type proxied struct {
	t *testing.T
	c *mcpclient.Client
	k *peers.Kamailio
}

// TestThroughKamailio lets our phones call each other through a proxy that
// stays in the path.
func TestThroughKamailio(t *testing.T) {
	if !peers.Wanted() {
		t.Skipf("%s is not 1: run this by `make interop`", peers.Variable)
	}
	t.Parallel()
	k := peers.StartKamailio(t)
	for _, c := range []struct {
		feature string
		test    func(*proxied)
	}{
		{"Record-Route: call, re-INVITE both ways and BYE through the proxy", (*proxied).routed},
		{"Record-Route twice, from TCP to UDP: call, re-INVITE both ways and BYE", (*proxied).routedAcross},
		{"TCP: call, re-INVITE both ways and BYE through the proxy", (*proxied).routedOverTCP},
		{"parallel forking: two contacts ring, the first to answer wins", (*proxied).forked},
		{"parallel forking: CANCEL reaches all contacts", (*proxied).forkedCancel},
		{"parallel forking: one contact busy, the other answers", (*proxied).forkedBusy},
		{"failure route: busy, then the next", (*proxied).hunted},
		{"CANCEL through the proxy", (*proxied).cancelled},
		{"MESSAGE through the proxy, with 407", (*proxied).messaged},
		{"unknown user: 404 through the proxy", (*proxied).unknown},
		{"blind transfer through the proxy", (*proxied).transferred},
		{"attended transfer through the proxy", (*proxied).joined},
		{"wrong password at the proxy", (*proxied).wrongPassword},
	} {
		t.Run(c.feature, func(t *testing.T) {
			covers(t, c.feature, "Kamailio 5.6")
			c.test(&proxied{t, mcpclient.Start(t, programs, mcpclient.Options{}), k})
		})
	}
}

// add adds a phone with a user, which may have others.
func (p *proxied) add(id, user string, more mcpclient.Args) *phones.Phone {
	p.t.Helper()
	args := mcpclient.Args{"domain": p.k.Addr, "username": user, "password": p.k.Password}
	for name, value := range more {
		args[name] = value
	}
	a := phones.Add(p.t, p.c, id, args)
	if !a.Added.Bool("is_registered") {
		p.t.Fatalf("%s is not registered: %s", user, a.Added.Text)
	}
	return a
}

// changed holds a call from both sides and hears both, then what they recorded.
func changed(a, b *phones.Phone, atA, atB int) {
	held(phones.Both(a, b, atA, atB))
	hear(a, b, atA, atB)
}

func (p *proxied) routed() {
	a, b := p.add("a", "a", nil), p.add("b", "b", nil)
	atA, atB := phones.Talk(a, b, p.k.URI("b"))
	changed(a, b, atA, atB)
	// The callee's BYE takes the recorded route too.
	atA, atB = phones.Talk(a, b, p.k.URI("b"))
	b.Do("hangup", mcpclient.Args{"call_id": atB})
	a.Ends(atA, 200)
}

func (p *proxied) routedOverTCP() {
	tcp := mcpclient.Args{"transport": "tcp"}
	a, b := p.add("a", "a", tcp), p.add("b", "b", tcp)
	atA, atB := phones.Talk(a, b, p.k.URI("b")+";transport=tcp")
	changed(a, b, atA, atB)
}

// routedAcross: the proxy records a route for each of its sides.
func (p *proxied) routedAcross() {
	a, b := p.add("a", "a", mcpclient.Args{"transport": "tcp"}), p.add("b", "b", nil)
	atA, atB := phones.Talk(a, b, p.k.URI("b")+";transport=tcp")
	routes := p.c.Must("get_call_messages", mcpclient.Args{"call_id": atB, "method": "INVITE", "direction": "RX"}).List("messages")[0]
	if n := strings.Count(routes.Text+fmt.Sprint(routes.Object("headers").Fields["Record-Route"]), "lr"); n < 2 {
		p.t.Errorf("b's INVITE has the Record-Route %v", routes.Object("headers").Fields["Record-Route"])
	}
	changed(a, b, atA, atB)
	atA, atB = phones.Talk(a, b, p.k.URI("b")+";transport=tcp")
	b.Do("hangup", mcpclient.Args{"call_id": atB})
	a.Ends(atA, 200)
}

// team adds a, and two phones of one user.
func (p *proxied) team() (a, one, two *phones.Phone) {
	p.t.Helper()
	return p.add("a", "a", nil), p.add("one", "team", nil), p.add("two", "team", nil)
}

func (p *proxied) forked() {
	a, one, two := p.team()
	atA := a.Call(p.k.URI("team"))
	atOne, atTwo := one.Rings(), two.Rings()
	one.Do("answer_call", mcpclient.Args{"call_id": atOne})
	a.Reaches(atA, "CONFIRMED")
	two.Ends(atTwo, 487)
	hear(a, one, atA, atOne)
}

func (p *proxied) forkedCancel() {
	a, one, two := p.team()
	atA := a.Call(p.k.URI("team"))
	atOne, atTwo := one.Rings(), two.Rings()
	a.Reaches(atA, "EARLY")
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 487)
	one.Ends(atOne, 487)
	two.Ends(atTwo, 487)
}

func (p *proxied) forkedBusy() {
	a, one, two := p.team()
	atA := a.Call(p.k.URI("team"))
	atOne, atTwo := one.Rings(), two.Rings()
	one.Do("reject_call", mcpclient.Args{"call_id": atOne, "status_code": 486})
	two.Do("answer_call", mcpclient.Args{"call_id": atTwo})
	a.Reaches(atA, "CONFIRMED")
	hear(a, two, atA, atTwo)
}

func (p *proxied) hunted() {
	a, b, c := p.add("a", "a", nil), p.add("b", "b", nil), p.add("c", "c", nil)
	atA := a.Call(p.k.URI("hunt"))
	b.Do("reject_call", mcpclient.Args{"call_id": b.Rings(), "status_code": 486})
	atC := c.Answers()
	a.Reaches(atA, "CONFIRMED")
	hear(a, c, atA, atC)
}

func (p *proxied) cancelled() {
	a, b := p.add("a", "a", nil), p.add("b", "b", nil)
	atA := a.Call(p.k.URI("b"))
	atB := b.Rings()
	a.Do("hangup", mcpclient.Args{"call_id": atA})
	a.Ends(atA, 487)
	b.Ends(atB, 487)
}

func (p *proxied) messaged() {
	a, b := p.add("a", "a", nil), p.add("b", "b", nil)
	a.Do("send_message", mcpclient.Args{"dest_uri": p.k.URI("b"), "body": "hello b"})
	if got := b.Messages(1)[0].String("body"); got != "hello b" {
		p.t.Errorf("b received %q", got)
	}
	a.Refuses("send_message", mcpclient.Args{"dest_uri": p.k.URI("nobody"), "body": "hello"}, "404")
}

func (p *proxied) unknown() {
	a := p.add("a", "a", nil)
	a.Ends(a.Call(p.k.URI("nobody")), 404)
}

func (p *proxied) transferred() {
	a, b, c := p.add("a", "a", nil), p.add("b", "b", nil), p.add("c", "c", nil)
	atA, atB := phones.Talk(a, b, p.k.URI("b"))
	after := a.Do("blind_transfer", mcpclient.Args{"call_id": atA, "dest_uri": p.k.URI("c")}).Int("cursor")
	atC := c.Answers()
	a.Sees(after, "transfer.succeeded", nil)
	a.Ends(atA, 200)
	b.Ends(atB, 200)
	c.Reaches(atC, "CONFIRMED")
	accepted, _ := b.Sees(after, "transfer.accepted", nil)
	phones.Hear(phones.Both(b, c, accepted.Object("data").Int("new_call_id"), atC)...)
}

func (p *proxied) joined() {
	a, b, c := p.add("a", "a", nil), p.add("b", "b", nil), p.add("c", "c", nil)
	toB, atB := phones.Talk(a, b, p.k.URI("b"))
	a.Do("hold", mcpclient.Args{"call_id": toB})
	toC, atC := phones.Talk(a, c, p.k.URI("c"))
	after := a.Do("attended_transfer", mcpclient.Args{"call_id": toB, "dest_call_id": toC}).Int("cursor")
	a.Sees(after, "transfer.succeeded", nil)
	a.Ends(toB, 200)
	a.Ends(toC, 200)
	b.Ends(atB, 200)
	c.Ends(atC, 200) // another call has taken its place
	accepted, _ := b.Sees(after, "transfer.accepted", nil)
	phones.Hear(phones.Both(b, c, accepted.Object("data").Int("new_call_id"), c.Confirmed())...)
}

func (p *proxied) wrongPassword() {
	a := phones.Add(p.t, p.c, "a", mcpclient.Args{"domain": p.k.Addr, "password": "wrong"})
	if a.Added.Bool("is_registered") || a.Added.Int("status_code") != 401 {
		p.t.Errorf("with a wrong password, add_phone answers %s", a.Added.Text)
	}
	a.Ends(a.Call(p.k.URI("b")), 407)
}
