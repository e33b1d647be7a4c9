package sipua

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/proto/siptx"
)

// fast makes a second of the RFC a hundredth.
func fast(c *Config) {
	c.Timers = siptx.Timers{T1: 5 * time.Millisecond, T2: 40 * time.Millisecond, T4: 50 * time.Millisecond}
}

// deafSocket is a UDP target that never answers.
func deafSocket(t *testing.T) Target {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return loopbackTarget(phone.UDP, c.LocalAddr().(*net.UDPAddr).Port)
}

// wantFailure reads on to OnFail. A provisional response may come before it,
// again: the far end repeats it when the request was repeated.
func (a *answers) wantFailure(kind phone.ErrorKind, says string) {
	a.t.Helper()
	for {
		e := a.next()
		if e.res != nil && !e.res.IsProvisional() {
			a.t.Fatalf("response %d, want a failure", e.res.StatusCode)
		}
		if e.err == nil {
			continue
		}
		var p *phone.Error
		if !errors.As(e.err, &p) || p.Kind != kind || !strings.Contains(p.Sentence, says) {
			a.t.Fatalf("failed with %v, want one of kind %v that says %q", e.err, kind, says)
		}
		return
	}
}

func TestNobodyAnswers(t *testing.T) {
	a := newPhone(t, fast)
	for _, method := range []sip.RequestMethod{sip.INVITE, sip.OPTIONS} {
		_, got := a.send(Outgoing{Request: request(method, "call"), Targets: []Target{deafSocket(t)}})
		got.wantFailure(phone.Unreachable, "nobody answered in time")
	}
}

func TestNoConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	a := newPhone(t, func(c *Config) { c.Transport = phone.TCP })
	_, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{loopbackTarget(phone.TCP, port)}})
	got.wantFailure(phone.Unreachable, "no connection to")
}

func TestNoTargetAndBadRequest(t *testing.T) {
	a := newPhone(t, nil)
	_, got := a.send(Outgoing{Request: request(sip.INVITE, "call")})
	got.wantFailure(phone.Unreachable, "nowhere to go")
	bad := request(sip.INVITE, "call")
	bad.AppendHeader(sip.NewHeader("Subject", "x\r\nContact: <sip:evil>"))
	_, got = a.send(Outgoing{Request: bad, Targets: []Target{deafSocket(t)}})
	got.wantFailure(phone.Invalid, "Subject")
}

func TestNextTargetIsTried(t *testing.T) {
	refusing := newPhone(t, nil)
	refusing.handle(func(tx *ServerTx, req *sip.Request) { _ = tx.Respond(NewResponse(req, 503, "", "tag")) })
	b := newPhone(t, nil)
	portZero := Target{Transport: phone.UDP, Addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)}
	for name, first := range map[string]Target{
		"timeout": deafSocket(t), "503": refusing.target(), "transport error": portZero,
	} {
		a := newPhone(t, fast)
		_, got := a.send(Outgoing{Request: request(sip.MESSAGE, name), Targets: []Target{first, b.target()}})
		got.want(200)
	}
	a := newPhone(t, nil)
	_, got := a.send(Outgoing{Request: request(sip.MESSAGE, "call"), Targets: []Target{refusing.target()}})
	got.want(503) // the last one's answer is the answer
}

// names is a DNS with one SRV name that leads to two ports on loopback.
type names struct{ ports []uint16 }

func (n names) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if service != "sip" || proto != "udp" || name != "pbx.test" {
		return "", nil, fmt.Errorf("asked for %s %s %s", service, proto, name)
	}
	var out []*net.SRV
	for _, p := range n.ports {
		out = append(out, &net.SRV{Target: "host.test.", Port: p})
	}
	return name, out, nil
}

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if host != "host.test." {
		return nil, errors.New("no such host")
	}
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func TestResolveAndFailOverSRV(t *testing.T) {
	b := newPhone(t, nil)
	dead := deafSocket(t)
	a := newPhone(t, func(c *Config) {
		fast(c)
		c.Resolver = names{[]uint16{dead.Addr.Port(), b.target().Addr.Port()}}
	})
	type found struct {
		targets []Target
		err     error
	}
	results := make(chan found, 1)
	resolve := func(host string) found {
		a.do(func() {
			returned := false
			a.ua.Resolve(sip.Uri{Scheme: "sip", Host: host}, func(targets []Target, err error) {
				if !returned {
					t.Errorf("%s: done ran within Resolve", host)
				}
				results <- found{targets, err}
			})
			returned = true
		})
		return take(t, results)
	}
	got := resolve("pbx.test")
	if got.err != nil || len(got.targets) != 2 || got.targets[0] != dead || got.targets[1] != b.target() {
		t.Fatalf("found %v, %v", got.targets, got.err)
	}
	_, answer := a.send(Outgoing{Request: request(sip.MESSAGE, "call"), Targets: got.targets})
	answer.want(200)

	if got := resolve("127.0.0.1"); got.err != nil || got.targets[0].Source.String() != "127.0.0.1" {
		t.Errorf("an address: %v, %v", got.targets, got.err)
	}
	var e *phone.Error
	if got := resolve("nowhere.test"); !errors.As(got.err, &e) || e.Kind != phone.Unreachable || got.targets != nil {
		t.Errorf("an unknown name: %v, %v", got.targets, got.err)
	}
	if got := resolve(""); !errors.As(got.err, &e) || e.Kind != phone.Invalid {
		t.Errorf("no name: %v", got.err)
	}
}

// stuck is a DNS that does not answer.
type stuck struct{}

func (stuck) LookupSRV(ctx context.Context, _, _, _ string) (string, []*net.SRV, error) {
	<-ctx.Done()
	return "", nil, ctx.Err()
}

func (stuck) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestCloseEndsLookupsAndTheirNumberIsBounded(t *testing.T) {
	a := newPhone(t, func(c *Config) { c.Resolver = stuck{} })
	results := make(chan error, maxLookups+1)
	a.do(func() {
		for range maxLookups + 1 {
			a.ua.Resolve(sip.Uri{Scheme: "sip", Host: "pbx.test"}, func(_ []Target, err error) { results <- err })
		}
	})
	var e *phone.Error
	if err := take(t, results); !errors.As(err, &e) || e.Kind != phone.Exhausted {
		t.Errorf("one too many: %v", err)
	}
	a.ua.Close()
	for range maxLookups {
		if err := take(t, results); err == nil {
			t.Error("a lookup that was ended gave no error")
		}
	}
}
