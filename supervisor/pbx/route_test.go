package pbx

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

func TestWhereRequestsGo(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp")
	b.register()
	port := p.Addr().Port()
	tests := []struct {
		method, uri string
		lines       []string
		proven      bool
		status      int // 0: b gets it
	}{
		{"MESSAGE", a.aor("b"), nil, true, 0},
		{"MESSAGE", fmt.Sprintf("sip:b@pbx.test:%d", port), nil, true, 0},
		{"MESSAGE", "sip:b@PBX.test", nil, true, 0},
		{"MESSAGE", "sip:b@ringmaster", nil, true, 0},
		{"MESSAGE", "sip:b@127.0.0.1", nil, true, 0},
		{"MESSAGE", "sip:%62@127.0.0.1", nil, true, 0},
		{"MESSAGE", "sip:b@" + b.addr(), nil, true, 0}, // its registered contact
		{"MESSAGE", a.aor("b"), []string{"Route: <sip:" + a.pbx + ";lr>"}, true, 0},
		{"OPTIONS", a.aor("b"), nil, true, 0},
		{"SUBSCRIBE", a.aor("b"), []string{"Event: dialog"}, true, 0},
		{"MESSAGE", a.aor("c"), nil, true, 480},
		{"MESSAGE", a.aor("nobody"), nil, true, 404},
		{"MESSAGE", a.aor("b"), []string{"From: <" + a.aor("b") + ">;tag=x"}, true, 403},
		{"MESSAGE", a.aor("b"), []string{"Proxy-Require: foo"}, false, 420},
		{"MESSAGE", "sip:b@192.0.2.1", nil, false, 403},
		{"MESSAGE", "sip:b@elsewhere.test", nil, false, 403},
		{"MESSAGE", "sip:b@unknown.test", nil, false, 403},
		{"MESSAGE", fmt.Sprintf("sip:b@pbx.test:%d", port-1), nil, false, 403},
		{"MESSAGE", a.aor("b"), []string{"Route: <sip:192.0.2.1;lr>"}, false, 403},
		{"MESSAGE", a.aor("b"), []string{"Max-Forwards: 0"}, false, 483},
		{"MESSAGE", "tel:+358", nil, false, 416},
		{"MESSAGE", "sips:b@" + a.pbx, nil, false, 416},
		{"MESSAGE", "sip:" + a.pbx, nil, false, 404},
		{"OPTIONS", "sip:" + a.pbx, nil, false, 200},
		{"OPTIONS", "sip:ringmaster", nil, false, 200},
		{"PUBLISH", a.aor("b"), nil, false, 405},
		{"PUBLISH", "sip:" + a.pbx, nil, false, 405},
		{"JUMP", a.aor("b"), nil, false, 501},
		{"JUMP", "sip:" + a.pbx, nil, false, 501},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.method, " ", test.uri, test.lines), func(t *testing.T) {
			method := sip.RequestMethod(test.method)
			if test.proven {
				a.askProven(test.method, test.uri, test.lines...)
			} else {
				a.ask(test.method, test.uri, test.lines...)
			}
			if test.status == 0 {
				b.answer(b.request(method), 202)
				test.status = 202
			}
			a.response(test.status, method)
		})
	}
}

// A dialog is believed only with our own Record-Route of its Call-ID.
func TestAForgedDialogIsNotRelayed(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp")
	invite := ringing(t, a, b)[0]
	b.answer(invite, 200)
	ok := a.response(200, "INVITE")
	to := "To: " + ok.To().Value()
	for _, lines := range [][]string{
		{to},
		{to, "Route: <sip:" + a.pbx + ";lr>"},
		{to, "Route: <sip:" + a.pbx + ";lr;rm-dialog=0123456789abcdef01234567>"},
		append(routes(ok, true), to, "Call-ID: another"),
	} {
		a.ask("INFO", "sip:x@192.0.2.1", lines...)
		a.response(403, "INFO")
	}
	a.ask("ACK", "sip:x@192.0.2.1", to)
	a.ask("INFO", b.contact()[1:len(b.contact())-1], to)
	a.response(407, "INFO")
	b.silent()
}

// RFC 3261 §16.4: the Request-URI of a strict router.
func TestAStrictRouterIsUnderstood(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp")
	invite := ringing(t, a, b)[0]
	b.answer(invite, 200)
	ok := a.response(200, "INVITE")
	route := strings.Trim(strings.TrimPrefix(routes(ok, true)[0], "Route: "), "<>")
	a.ask("BYE", route, "Route: "+b.contact(), "To: "+ok.To().Value())
	bye := b.request("BYE")
	if "<"+bye.Recipient.String()+">" != b.contact() || bye.Route() != nil {
		t.Errorf("the BYE became\n%s", bye)
	}
}

func TestALoopIsDetected(t *testing.T) {
	p := start(t, nil)
	a, b := newPeer(t, p, "a", "udp"), newPeer(t, p, "b", "udp")
	b.register()
	a.askProven("MESSAGE", a.aor("b"))
	// b sends it back, Via and all, with the Request-URI that it had.
	looping := b.request("MESSAGE")
	looping.Recipient = sip.Uri{Scheme: "sip", User: "b", Host: "127.0.0.1", Port: int(p.Addr().Port())}
	looping.PrependHeader(&sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: "127.0.0.1",
		Port: b.conn.LocalAddr().(*net.UDPAddr).Port, Params: sip.HeaderParams{{K: "branch", V: "z9hG4bKloop"}}})
	b.send(looping.String())
	b.response(482, "MESSAGE")
}

func TestAPortInUseIsSaid(t *testing.T) {
	p := start(t, nil)
	_, err := Listen(Config{Addr: p.Addr()})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(p.Addr().Port())) {
		t.Errorf("error %v", err)
	}
}

func TestAClosedPBXHasNoBindings(t *testing.T) {
	var tapped atomic.Int32
	p, err := Listen(Config{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Tap: func(phone.SIPMessage) { tapped.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	a := newPeer(t, p, "a", "tcp")
	a.silent()
	p.Close()
	if got := p.Bindings(); got != nil || tapped.Load() != 2 {
		t.Errorf("bindings %v, %d messages tapped", got, tapped.Load())
	}
}
