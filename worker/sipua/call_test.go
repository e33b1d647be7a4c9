package sipua

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

func TestInviteAnsweredAndAcked(t *testing.T) {
	eachTransport(t, func(t *testing.T, a, b *testPhone) {
		acks := make(chan *sip.Request, 1)
		b.do(func() { b.onAck = func(ack *sip.Request) { acks <- ack } })
		b.handle(func(tx *ServerTx, req *sip.Request) {
			for _, code := range []int{180, 183, 200} { // back to back: the order must hold
				if err := tx.Respond(NewResponse(req, code, "", "tag")); err != nil {
					t.Error(err)
				}
			}
		})
		_, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}})
		if e := got.next(); e.sent == nil {
			t.Fatalf("first heard %+v, want OnSent", e)
		}
		got.want(180, 183, 200)

		a.do(func() {
			ack := request(sip.ACK, "call")
			if err := a.ua.SendAck(ack, b.target()); err != nil {
				t.Error(err)
			}
		})
		if ack := take(t, acks); ack.CSeq().MethodName != sip.ACK {
			t.Errorf("got %s", ack.CSeq().Value())
		}

		var codes []string
		a.mu.Lock()
		for _, m := range a.tap {
			first, _, _ := strings.Cut(string(m.Raw), "\r\n")
			codes = append(codes, fmt.Sprintf("%v %s %s", m.Sent, m.Transport, strings.TrimPrefix(first, "SIP/2.0 ")))
		}
		a.mu.Unlock()
		tr := a.ua.cfg.Transport
		want := []string{
			fmt.Sprintf("true %s INVITE sip:b@127.0.0.1 SIP/2.0", tr),
			fmt.Sprintf("false %s 180 Ringing", tr),
			fmt.Sprintf("false %s 183 Session Progress", tr),
			fmt.Sprintf("false %s 200 OK", tr),
			fmt.Sprintf("true %s ACK sip:b@127.0.0.1 SIP/2.0", tr),
		}
		if !slices.Equal(codes, want) {
			t.Errorf("the tap saw\n%s\nwant\n%s", strings.Join(codes, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestManyRequestsKeepTheirOrder(t *testing.T) {
	eachTransport(t, func(t *testing.T, a, b *testPhone) {
		const n = 500
		var order []uint32
		arrived := make(chan struct{}, n)
		b.handle(func(tx *ServerTx, req *sip.Request) {
			order = append(order, req.CSeq().SeqNo)
			_ = tx.Respond(NewResponse(req, 200, "", "tag"))
			arrived <- struct{}{}
		})
		a.do(func() {
			for i := range n {
				req := request(sip.INFO, "call")
				req.CSeq().SeqNo = uint32(i + 1)
				a.ua.Send(Outgoing{Request: req, Targets: []Target{b.target()}})
			}
		})
		for range n {
			take(t, arrived)
		}
		b.do(func() {
			if !slices.IsSorted(order) {
				t.Errorf("%d requests came in the order %v", n, order)
			}
		})
	})
}

func TestLargeMessageStaysOnItsTransport(t *testing.T) {
	eachTransport(t, func(t *testing.T, a, b *testPhone) {
		req := request(sip.MESSAGE, "call")
		req.SetBody([]byte(strings.Repeat("x", 9000)))
		bodies := make(chan string, 1)
		b.handle(func(tx *ServerTx, req *sip.Request) {
			bodies <- string(req.Body())
			_ = tx.Respond(NewResponse(req, 200, "", "tag"))
		})
		_, got := a.send(Outgoing{Request: req, Targets: []Target{b.target()}})
		got.want(200)
		if body := take(t, bodies); len(body) != 9000 {
			t.Errorf("%d bytes arrived", len(body))
		}
	})
}

func TestManyProvisionalResponses(t *testing.T) {
	a, b := newPhone(t, nil), newPhone(t, nil)
	var want []int
	b.handle(func(tx *ServerTx, req *sip.Request) {
		for range 12 {
			_ = tx.Respond(NewResponse(req, 183, "", "tag"))
		}
		_ = tx.Respond(NewResponse(req, 200, "", "tag"))
	})
	for range 12 {
		want = append(want, 183)
	}
	_, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}})
	got.want(append(want, 200)...)
}

func TestTransportOfTheTarget(t *testing.T) {
	udp, tcp := newPhone(t, nil), newPhone(t, func(c *Config) { c.Transport = phone.TCP })
	to := make(chan Target, 1)
	udp.do(func() {
		uri := sip.Uri{Scheme: "sip", Host: "127.0.0.1", Port: tcp.ua.LocalPort(), UriParams: sip.HeaderParams{{K: "transport", V: "tcp"}}}
		udp.ua.Resolve(uri, func(targets []Target, err error) {
			if err != nil {
				t.Error(err)
			}
			to <- targets[0]
		})
	})
	target := take(t, to)
	_, got := udp.send(Outgoing{Request: request(sip.OPTIONS, "call"), Targets: []Target{target}})
	got.want(200)
	udp.do(func() {
		uri := udp.ua.Contact("a", target)
		if want := fmt.Sprintf("sip:a@127.0.0.1:%d", udp.ua.LocalPort()); uri.String() != want {
			t.Errorf("Contact is %s, want %s, where the phone listens", uri.String(), want)
		}
	})
	_, got = tcp.send(Outgoing{Request: request(sip.OPTIONS, "call"), Targets: []Target{udp.target()}})
	got.wantFailure(phone.Unreachable, "no UDP socket")
}

func TestPortInUse(t *testing.T) {
	a := newPhone(t, nil)
	_, err := Listen(a.loop, Config{Transport: phone.UDP, LocalPort: a.ua.LocalPort()}, a)
	var e *phone.Error
	if !asPhoneError(err, &e) || e.Kind != phone.Precondition || !strings.Contains(err.Error(), fmt.Sprint(a.ua.LocalPort())) {
		t.Errorf("error %v, want one of kind precondition naming the port", err)
	}
}
