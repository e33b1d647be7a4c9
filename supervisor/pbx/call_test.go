package pbx

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/proto/sipnet"
)

// ringing sets up a call from a to every peer of b, and stops when each has
// its INVITE.
func ringing(t *testing.T, a *peer, b ...*peer) []*sip.Request {
	t.Helper()
	for _, n := range b {
		n.register()
	}
	a.askProven("INVITE", a.aor("b"), "\noffer")
	var invites []*sip.Request
	for _, n := range b {
		invites = append(invites, n.request("INVITE"))
	}
	return invites
}

func TestACallGoesThrough(t *testing.T) {
	for _, test := range []struct{ caller, callee string }{{"udp", "udp"}, {"tcp", "udp"}, {"udp", "tcp"}, {"tcp", "tcp"}} {
		t.Run(test.caller+" to "+test.callee, func(t *testing.T) {
			p := start(t, nil)
			a, b := newPeer(t, p, "a", test.caller), newPeer(t, p, "b", test.callee)
			invite := ringing(t, a, b)[0]

			if got, want := "<"+invite.Recipient.String()+">", b.contact(); got != want {
				t.Errorf("Request-URI %s, want the contact %s", got, want)
			}
			if invite.MaxForwards().Val() != 69 || len(invite.GetHeaders("Via")) != 2 || string(invite.Body()) != "offer" {
				t.Errorf("the INVITE became\n%s", invite)
			}
			if invite.GetHeader("Proxy-Authorization") != nil {
				t.Error("the callee is shown the credentials")
			}
			wanted := 1
			if test.caller != test.callee {
				wanted = 2
			}
			if got := len(invite.GetHeaders("Record-Route")); got != wanted {
				t.Errorf("%d Record-Routes, want %d:\n%s", got, wanted, invite)
			}

			for _, status := range []int{180, 183, 200} {
				b.answer(invite, status)
			}
			a.response(180, "INVITE")
			a.response(183, "INVITE")
			ok := a.response(200, "INVITE")
			if len(ok.GetHeaders("Via")) != 1 {
				t.Errorf("the 200 became\n%s", ok)
			}
			to := "To: " + ok.To().Value()
			uri := ok.Contact().Address.String()
			toCallee := append(routes(ok, true), to)
			a.ask("ACK", uri, append(toCallee, fmt.Sprintf("CSeq: %d ACK", ok.CSeq().SeqNo))...)
			if ack := b.request("ACK"); len(ack.GetHeaders("Route")) != 0 || "<"+ack.Recipient.String()+">" != b.contact() {
				t.Errorf("the ACK became\n%s", ack)
			}
			for _, method := range []sip.RequestMethod{"INFO", "UPDATE", "INVITE", "BYE"} {
				a.ask(string(method), uri, toCallee...)
				b.answer(b.request(method), 200)
				a.response(200, method)
			}
			toCaller := append(routes(invite, false), "To: "+invite.From().Value(), "From: "+ok.To().Value(), "Call-ID: "+ok.CallID().Value())
			for _, method := range []sip.RequestMethod{"REFER", "NOTIFY", "BYE"} {
				b.ask(string(method), invite.Contact().Address.String(), toCaller...)
				a.answer(a.request(method), 481)
				b.response(481, method)
			}
		})
	}
}

func TestAFailedCallIsAcknowledgedHopByHop(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp")
	invite := ringing(t, a, b)[0]
	b.answer(invite, 503, "Retry-After: 7")
	if ack := b.request("ACK"); ack.To().Params.GetOr("tag", "") == "" {
		t.Errorf("the ACK is\n%s", ack)
	}
	res := a.response(503, "INVITE")
	if res.GetHeader("Retry-After") == nil {
		t.Errorf("the 503 became\n%s", res)
	}
	a.ackFailure(res, a.aor("b"))
	a.silent()
	b.silent()
}

func TestTheFirstToAnswerHasTheCall(t *testing.T) {
	p := start(t, nil)
	a, b1, b2 := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp"), newPeer(t, p, "b", "tcp")
	invites := ringing(t, a, b1, b2)
	b1.answer(invites[0], 180)
	b2.answer(invites[1], 183)
	first, second := a.next().(*sip.Response), a.next().(*sip.Response)
	for first.StatusCode == 100 {
		first, second = second, a.next().(*sip.Response)
	}
	if first.StatusCode+second.StatusCode != 180+183 {
		t.Fatalf("the caller hears %d and %d", first.StatusCode, second.StatusCode)
	}
	b2.answer(invites[1], 200)
	a.response(200, "INVITE")
	cancel := b1.request("CANCEL")
	if reason := cancel.GetHeader("Reason"); reason == nil || !strings.Contains(reason.Value(), "cause=200") {
		t.Errorf("the CANCEL is\n%s", cancel)
	}
	b1.answer(cancel, 200)
	b1.answer(invites[0], 487)
	b1.request("ACK")
	a.silent() // no 487, and the 200 but once
}

func TestBothAnswerAtOnce(t *testing.T) {
	p := start(t, nil)
	a, b1, b2 := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp"), newPeer(t, p, "b", "udp")
	invites := ringing(t, a, b1, b2)
	b1.answer(invites[0], 200)
	one := a.response(200, "INVITE")
	b2.answer(invites[1], 200)
	other := a.response(200, "INVITE")
	if one.To().Value() == other.To().Value() {
		t.Errorf("twice the same: %s", one.To().Value())
	}
	b1.answer(invites[0], 200) // again, since no ACK came
	a.response(200, "INVITE")
	a.silent()
}

func TestTheBestAnswerOfAllGoesBack(t *testing.T) {
	tests := []struct {
		answers []int
		want    int
	}{
		{[]int{486, 480}, 486},
		{[]int{408, 486}, 486},
		{[]int{500, 404}, 404},
		{[]int{302, 486}, 302},
		{[]int{486, 415}, 415},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.answers), func(t *testing.T) {
			p := start(t, nil)
			a, b1, b2 := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp"), newPeer(t, p, "b", "udp")
			invites := ringing(t, a, b1, b2)
			b1.answer(invites[0], test.answers[0])
			b1.request("ACK")
			a.silent() // not before the other
			b2.answer(invites[1], test.answers[1])
			a.response(test.want, "INVITE")
		})
	}
}

func TestADeclineForAllEndsTheOthers(t *testing.T) {
	p := start(t, nil)
	a, b1, b2 := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp"), newPeer(t, p, "b", "udp")
	invites := ringing(t, a, b1, b2)
	b1.answer(invites[0], 180)
	a.response(180, "INVITE")
	b2.answer(invites[1], 603)
	b1.answer(b1.request("CANCEL"), 200)
	a.silent()
	b1.answer(invites[0], 487)
	a.response(603, "INVITE")
}

func TestChallengesOfAllPhonesGoBack(t *testing.T) {
	p := start(t, nil)
	a, b1, b2 := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp"), newPeer(t, p, "b", "udp")
	invites := ringing(t, a, b1, b2)
	b1.answer(invites[0], 407, `Proxy-Authenticate: Digest realm="one", nonce="1"`)
	b2.answer(invites[1], 401, `WWW-Authenticate: Digest realm="two", nonce="2"`)
	for {
		res := a.next().(*sip.Response)
		if res.StatusCode == 100 {
			continue
		}
		if res.GetHeader("Proxy-Authenticate") == nil || res.GetHeader("WWW-Authenticate") == nil {
			t.Errorf("a challenge is missing in\n%s", res)
		}
		return
	}
}

func TestTheCallerCancels(t *testing.T) {
	p := start(t, nil)
	a, b1, b2 := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp"), newPeer(t, p, "b", "udp")
	invites := ringing(t, a, b1, b2)
	b1.answer(invites[0], 486)
	b1.request("ACK")
	b2.answer(invites[1], 180)
	a.response(180, "INVITE")
	a.cancel(a.aor("b"), "Reason: Q.850;cause=16")
	a.response(200, "CANCEL")
	cancel := b2.request("CANCEL")
	if cancel.GetHeader("Reason").Value() != "Q.850;cause=16" || cancel.Via().Value() != invites[1].Via().Value() {
		t.Errorf("the CANCEL became\n%s", cancel)
	}
	b2.answer(cancel, 200)
	b2.answer(invites[1], 487)
	b2.request("ACK")
	res := a.response(487, "INVITE") // not the 486
	a.ackFailure(res, a.aor("b"))
	a.silent()
}

func TestACancelWaitsForTheFirstProvisional(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "tcp")
	invite := ringing(t, a, b)[0]
	a.cancel(a.aor("b"))
	a.response(200, "CANCEL")
	b.silent()
	b.answer(invite, 100)
	b.request("CANCEL")
}

func TestAnAnswerCrossesTheCancel(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp")
	invite := ringing(t, a, b)[0]
	b.answer(invite, 180)
	a.response(180, "INVITE")
	a.cancel(a.aor("b"))
	a.response(200, "CANCEL")
	b.request("CANCEL")
	b.answer(invite, 200)
	a.response(200, "INVITE")
}

func TestNobodyAnswers(t *testing.T) {
	p := start(t, func(c *Config) { c.Timers = quick })
	a, b := newPeer(t, p, "a", "tcp"), newPeer(t, p, "b", "tcp")
	ringing(t, a, b)
	a.response(408, "INVITE")
	a.askProven("MESSAGE", a.aor("b"))
	a.response(480, "MESSAGE")
}

func TestAPhoneRingsTooLong(t *testing.T) {
	p := start(t, func(c *Config) { c.TimerC = 50 * time.Millisecond })
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp")
	invite := ringing(t, a, b)[0]
	b.answer(invite, 180)
	a.response(180, "INVITE")
	b.answer(b.request("CANCEL"), 200)
	b.answer(invite, 487)
	a.response(408, "INVITE")
}

// closedPort is a TCP address where nobody listens.
func closedPort(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func TestAPhoneIsGone(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp")
	b.registers("Contact: <sip:b@" + closedPort(t).String() + ";transport=tcp>")
	a.askProven("INVITE", a.aor("b"))
	a.response(480, "INVITE")
}

func TestAPhoneIsReachedBesideItsOldConnection(t *testing.T) {
	p := start(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	old := sipnet.Target{Transport: phone.TCP, Addr: closedPort(t)}
	err = p.loop.Do(t.Context(), func() {
		req := registerRequest(t, "Contact: <sip:b@"+l.Addr().String()+";transport=tcp>")
		if why := p.bindings.update("b", req, old, p.loop.Now()); why != nil {
			t.Error(why)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	a := newPeer(t, p, "a", "udp")
	a.askProven("INVITE", a.aor("b"))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b := &peer{t: t, user: "b", transport: "tcp", pbx: a.pbx, conn: conn, reader: bufio.NewReader(conn)}
	b.answer(b.request("INVITE"), 486)
	a.response(486, "INVITE")
}

// A phone on TCP need not listen: it is reached on the connection that it
// registered on, also by the contact that its dialogs name.
func TestAPhoneIsReachedOnItsConnection(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "tcp")
	contact := "sip:b@" + closedPort(t).String() + ";transport=tcp"
	b.registers("Contact: <" + contact + ">")
	for _, uri := range []string{a.aor("b"), contact} {
		a.askProven("MESSAGE", uri)
		b.answer(b.request("MESSAGE"), 202)
		a.response(202, "MESSAGE")
	}
}

func TestMessagesKeepTheirOrder(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp")
	invite := ringing(t, a, b)[0]
	for range 20 {
		b.answer(invite, 180)
		b.answer(invite, 183)
	}
	b.answer(invite, 200)
	for range 20 {
		a.response(180, "INVITE")
		a.response(183, "INVITE")
	}
	a.response(200, "INVITE")
}
