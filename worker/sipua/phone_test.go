package sipua

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"ringmaster/loop"
	"ringmaster/proto/phone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 10 * time.Second

// testPhone is a UA on a loop of its own, with what a test wants to know.
type testPhone struct {
	t    *testing.T
	loop *loop.Loop
	ua   *UA

	// Set on the loop.
	onRequest func(tx *ServerTx, req *sip.Request)
	onAck     func(ack *sip.Request)
	onStray   func(res *sip.Response)

	mu  sync.Mutex
	tap []phone.SIPMessage
}

func newPhone(t *testing.T, change func(*Config)) *testPhone {
	t.Helper()
	p := &testPhone{t: t, loop: loop.New(nil)}
	cfg := Config{Transport: phone.UDP, UserAgent: "test", Tap: func(m phone.SIPMessage) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tap = append(p.tap, m)
	}}
	if change != nil {
		change(&cfg)
	}
	ua, err := Listen(p.loop, cfg, p)
	if err != nil {
		t.Fatal(err)
	}
	p.ua = ua
	go p.loop.Run()
	t.Cleanup(func() {
		ua.Close()
		p.loop.Stop()
		<-p.loop.Stopped()
	})
	return p
}

func (p *testPhone) Request(tx *ServerTx, req *sip.Request) {
	if p.onRequest == nil {
		_ = tx.Respond(NewResponse(req, 200, "", "tag"))
		return
	}
	p.onRequest(tx, req)
}

func (p *testPhone) Ack(ack *sip.Request) {
	if p.onAck != nil {
		p.onAck(ack)
	}
}

func (p *testPhone) Stray(res *sip.Response) {
	if p.onStray != nil {
		p.onStray(res)
	}
}

// handle sets what answers requests.
func (p *testPhone) handle(fn func(tx *ServerTx, req *sip.Request)) {
	p.t.Helper()
	p.do(func() { p.onRequest = fn })
}

// do runs fn on the phone's loop.
func (p *testPhone) do(fn func()) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.loop.Do(ctx, fn); err != nil {
		p.t.Fatal(err)
	}
}

// target is the phone on loopback.
func (p *testPhone) target() Target {
	return loopbackTarget(p.ua.cfg.Transport, p.ua.LocalPort())
}

func loopbackTarget(transport phone.Transport, port int) Target {
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
	return Target{Transport: transport, Addr: addr, Source: addr.Addr()}
}

// request makes a request for b.
func request(method sip.RequestMethod, callID string) *sip.Request {
	to := sip.Uri{Scheme: "sip", User: "b", Host: "127.0.0.1"}
	from := sip.Uri{Scheme: "sip", User: "a", Host: "127.0.0.1"}
	req := sip.NewRequest(method, to)
	req.AppendHeader(&sip.FromHeader{Address: from, Params: sip.HeaderParams{{K: "tag", V: "from"}}})
	req.AppendHeader(&sip.ToHeader{Address: to})
	id := sip.CallIDHeader(callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: method})
	req.SetBody(nil)
	return req
}

// answers collects what one Outgoing hears.
type answers struct {
	t      *testing.T
	events chan event
}

type event struct {
	sent *sip.Request
	res  *sip.Response
	req  *sip.Request
	err  error
}

// send sends a request and collects its answers.
func (p *testPhone) send(o Outgoing) (*ClientTx, *answers) {
	p.t.Helper()
	a := &answers{t: p.t, events: make(chan event, 100)}
	o.OnSent = func(req *sip.Request, _ Target) { a.events <- event{sent: req} }
	o.OnResponse = func(res *sip.Response, req *sip.Request) { a.events <- event{res: res, req: req} }
	o.OnFail = func(err error) { a.events <- event{err: err} }
	var tx *ClientTx
	p.do(func() { tx = p.ua.Send(o) })
	return tx, a
}

func (a *answers) next() event {
	a.t.Helper()
	return take(a.t, a.events)
}

// responses reads on to the nth response and gives the codes.
func (a *answers) responses(n int) []int {
	a.t.Helper()
	var codes []int
	for len(codes) < n {
		e := a.next()
		if e.err != nil {
			a.t.Fatalf("failed after %v: %v", codes, e.err)
		}
		if e.res != nil {
			codes = append(codes, e.res.StatusCode)
		}
	}
	return codes
}

// want checks the next responses.
func (a *answers) want(codes ...int) {
	a.t.Helper()
	if got := a.responses(len(codes)); !slices.Equal(got, codes) {
		a.t.Fatalf("responses %v, want %v", got, codes)
	}
}

func take[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// eachTransport runs a test with two phones of each transport.
func eachTransport(t *testing.T, test func(t *testing.T, a, b *testPhone)) {
	cert := testTLS(t)
	for _, transport := range []phone.Transport{phone.UDP, phone.TCP, phone.TLS} {
		t.Run(string(transport), func(t *testing.T) {
			change := func(c *Config) {
				c.Transport = transport
				c.TLS = cert
			}
			test(t, newPhone(t, change), newPhone(t, change))
		})
	}
}

func asPhoneError(err error, e **phone.Error) bool { return errors.As(err, e) }
