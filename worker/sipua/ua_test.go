package sipua

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/proto/phone"
)

func TestContactAndViaCarrySourceAndPort(t *testing.T) {
	eachTransport(t, func(t *testing.T, a, b *testPhone) {
		a.do(func() {
			uri := a.ua.Contact("a", b.target())
			want := fmt.Sprintf("sip:a@127.0.0.1:%d", a.ua.LocalPort())
			if tr := a.ua.cfg.Transport; tr != phone.UDP {
				want += ";transport=" + string(tr)
			}
			if uri.String() != want {
				t.Errorf("Contact is %s, want %s", uri.String(), want)
			}
		})
		seen := make(chan Target, 1)
		b.handle(func(tx *ServerTx, req *sip.Request) {
			via := req.Via()
			want := fmt.Sprintf("SIP/2.0/%s 127.0.0.1:%d", strings.ToUpper(string(a.ua.cfg.Transport)), a.ua.LocalPort())
			if !strings.HasPrefix(via.Value(), want+";") || via.Params.GetOr("received", "") != "127.0.0.1" {
				t.Errorf("Via is %s, want %s", via.Value(), want)
			}
			if agent := req.GetHeader("User-Agent"); agent == nil || agent.Value() != "test" {
				t.Errorf("User-Agent is %v", agent)
			}
			_ = tx.Respond(NewResponse(req, 200, "", "tag"))
			seen <- tx.Source()
		})
		_, got := a.send(Outgoing{Request: request(sip.OPTIONS, "call"), Targets: []Target{b.target()}})
		for {
			e := got.next()
			if e.res == nil {
				continue
			}
			if server := e.res.GetHeader("Server"); server == nil || server.Value() != "test" {
				t.Errorf("Server is %v", server)
			}
			break
		}
		if source := take(t, seen); source.Source != netip.MustParseAddr("127.0.0.1") || source.Transport != a.ua.cfg.Transport {
			t.Errorf("Source is %+v", source)
		}
	})
}

func TestIPv6(t *testing.T) {
	probe, err := net.ListenPacket("udp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6:", err)
	}
	_ = probe.Close()
	a, b := newPhone(t, nil), newPhone(t, nil)
	to := Target{Transport: phone.UDP, Addr: netip.AddrPortFrom(netip.IPv6Loopback(), uint16(b.ua.LocalPort()))}
	a.do(func() {
		uri := a.ua.Contact("a", to)
		if want := fmt.Sprintf("sip:a@[::1]:%d", a.ua.LocalPort()); uri.String() != want {
			t.Errorf("Contact is %s, want %s", uri.String(), want)
		}
	})
	_, got := a.send(Outgoing{Request: request(sip.OPTIONS, "call"), Targets: []Target{to}})
	got.want(200)
}

func TestRubbishDoesNotDisturbACall(t *testing.T) {
	a, b := newPhone(t, nil), newPhone(t, nil)
	stranger, err := net.Dial("udp", b.target().Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.Close() })
	for i := range 2000 {
		_, _ = fmt.Fprintf(stranger, "INVITE sip:b SIP/2.0\r\nVia: rubbish %d\r\n\r\n", i)
	}
	_, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}})
	got.want(200)
}

func TestStray2xx(t *testing.T) {
	a := newPhone(t, nil)
	strays := make(chan int, 1)
	a.do(func() { a.onStray = func(res *sip.Response) { strays <- res.StatusCode } })
	peer, err := net.Dial("udp", a.target().Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	for _, status := range []int{180, 486, 200} { // only the 2xx is anybody's business
		invite := request(sip.INVITE, "gone")
		invite.PrependHeader(&sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: "127.0.0.1",
			Params: sip.HeaderParams{{K: "branch", V: "z9hG4bKgone"}}})
		if _, err := fmt.Fprint(peer, NewResponse(invite, status, "", "tag")); err != nil {
			t.Fatal(err)
		}
	}
	if got := take(t, strays); got != 200 {
		t.Errorf("told of a stray %d", got)
	}
}

func TestRefusalThatNobodyAcks(t *testing.T) {
	b := newPhone(t, fast)
	failed := make(chan error, 1)
	b.handle(func(tx *ServerTx, req *sip.Request) {
		tx.OnFail(func(err error) { failed <- err })
		_ = tx.Respond(NewResponse(req, 486, "", "tag"))
	})
	deaf, err := net.Dial("udp", b.target().Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = deaf.Close() })
	invite := request(sip.INVITE, "call")
	invite.PrependHeader(&sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: "127.0.0.1",
		Port: deaf.LocalAddr().(*net.UDPAddr).Port, Params: sip.HeaderParams{{K: "branch", V: "z9hG4bKdeaf"}}})
	if _, err := fmt.Fprint(deaf, invite); err != nil {
		t.Fatal(err)
	}
	var e *phone.Error
	if err := take(t, failed); !errors.As(err, &e) || e.Kind != phone.Unreachable {
		t.Errorf("failed with %v", err)
	}
}

func TestBadResponseIsRefused(t *testing.T) {
	a, b := newPhone(t, nil), newPhone(t, nil)
	refused := make(chan error, 1)
	b.handle(func(tx *ServerTx, req *sip.Request) {
		refused <- tx.Respond(NewResponse(req, 200, "OK\r\nX: y", "tag"))
		_ = tx.Respond(NewResponse(req, 500, "", "tag"))
	})
	_, got := a.send(Outgoing{Request: request(sip.OPTIONS, "call"), Targets: []Target{b.target()}})
	got.want(500)
	var e *phone.Error
	if err := take(t, refused); !errors.As(err, &e) || e.Kind != phone.Invalid {
		t.Errorf("refused with %v", err)
	}
	bad := request(sip.ACK, "call")
	bad.AppendHeader(sip.NewHeader("X", "a\nb"))
	a.do(func() {
		if err := a.ua.SendAck(bad, b.target()); !errors.As(err, &e) || e.Kind != phone.Invalid {
			t.Errorf("the ACK was refused with %v", err)
		}
	})
}

func TestListenRefusesWhatCannotBe(t *testing.T) {
	l := loop.New(nil)
	if ua, err := Listen(l, Config{Transport: "sctp", TLS: &tls.Config{MinVersion: tls.VersionTLS12}}, nil); err == nil {
		ua.Close()
		t.Error("transport sctp was listened on")
	}
}

func TestCloseWithWorkInHand(t *testing.T) {
	a, b := newPhone(t, nil), newPhone(t, nil)
	b.handle(func(*ServerTx, *sip.Request) {}) // answers nothing
	_, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}})
	if e := got.next(); e.sent == nil {
		t.Fatalf("heard %+v", e)
	}
	a.ua.Close()
	b.ua.Close()
	a.do(func() {
		if clients, servers := a.ua.layer.Count(); clients+servers != 0 {
			t.Errorf("%d, %d transactions are left", clients, servers)
		}
	})
	select {
	case e := <-got.events:
		t.Errorf("heard %+v after Close", e)
	default:
	}
}
