package registration

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"ringmaster/loop"
	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// registrar is the far side of the UA: it keeps what was sent, and answers
// when told to.
type registrar struct {
	t       *testing.T
	loop    *loop.Loop
	reg     *Registration
	source  string
	lookup  error
	sent    []sipua.Outgoing
	reports []string
}

func (r *registrar) Resolve(next sip.Uri, done func([]sipua.Target, error)) {
	r.loop.Defer(func() {
		if r.lookup != nil {
			done(nil, r.lookup)
			return
		}
		done([]sipua.Target{{Transport: phone.UDP, Source: netip.MustParseAddr(r.source)}}, nil)
	})
}

func (r *registrar) Contact(user string, t sipua.Target) sip.Uri {
	return sip.Uri{Scheme: "sip", User: user, Host: t.Source.String(), Port: 5070}
}

func (r *registrar) Send(o sipua.Outgoing) *sipua.ClientTx {
	r.sent = append(r.sent, o)
	return nil
}

// house runs test with a registration whose time is the bubble's.
func house(t *testing.T, test func(t *testing.T, r *registrar)) {
	synctest.Test(t, func(t *testing.T) {
		r := &registrar{t: t, loop: loop.New(nil), source: "192.0.2.1"}
		tokens := 0
		r.reg = New(Config{
			Loop: r.loop, UA: r, Username: "6001", Domain: "pbx.example:5080",
			NewToken: func() string { tokens++; return fmt.Sprintf("token%d", tokens) },
			Random:   func(n int) int { return n / 2 },
			Report: func(event string, s phone.Registration) {
				r.reports = append(r.reports, fmt.Sprintf("%s %d %s", event, s.StatusCode, s.Reason))
			},
		})
		go r.loop.Run()
		defer func() { r.loop.Stop(); <-r.loop.Stopped() }()
		test(t, r)
	})
}

// do runs fn on the loop, and what comes of it.
func (r *registrar) do(fn func()) {
	r.t.Helper()
	if err := r.loop.Do(context.Background(), fn); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

// pass lets the bubble's time go on. What the test has read until then, it has
// read before the loop goes on.
func (r *registrar) pass(d time.Duration) {
	r.t.Helper()
	r.do(func() {})
	time.Sleep(d) //nolint:forbidigo // virtual time
	synctest.Wait()
}

// last is the newest REGISTER; there must be n in all.
func (r *registrar) last(n int) *sip.Request {
	r.t.Helper()
	if len(r.sent) != n {
		r.t.Fatalf("%d REGISTERs, want %d", len(r.sent), n)
	}
	return r.sent[n-1].Request
}

// answer answers the newest REGISTER.
func (r *registrar) answer(status int, reason string, headers ...string) {
	r.t.Helper()
	r.do(func() { r.sent[len(r.sent)-1].OnResponse(response(status, reason, headers...), nil) })
}

// response makes a response as a registrar would write it.
func response(status int, reason string, headers ...string) *sip.Response {
	text := fmt.Sprintf("SIP/2.0 %d %s\r\n%s\r\nContent-Length: 0\r\n\r\n", status, reason, strings.Join(append([]string{"Call-ID: x"}, headers...), "\r\n"))
	msg, err := sip.ParseMessage([]byte(text))
	if err != nil {
		panic(err)
	}
	return msg.(*sip.Response)
}

func TestTheRequest(t *testing.T) {
	house(t, func(t *testing.T, r *registrar) {
		r.do(func() { r.reg.Register(nil) })
		got := r.last(1).String()
		want := strings.Join([]string{"REGISTER sip:pbx.example:5080 SIP/2.0", "Max-Forwards: 70", "From: <sip:6001@pbx.example:5080>;tag=token2", "To: <sip:6001@pbx.example:5080>",
			"Call-ID: token1", "CSeq: 1 REGISTER", "Contact: <sip:6001@192.0.2.1:5070>;expires=300", "Expires: 300", "Content-Length: 0", "", ""}, "\r\n")
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if !r.sent[0].Authenticate || r.sent[0].NextCSeq() != 2 {
			t.Error("it does not authenticate, or its retry has another CSeq than 2")
		}
	})
}

func TestLifeOfARegistration(t *testing.T) {
	house(t, func(t *testing.T, r *registrar) {
		var heard []phone.Registration
		hear := func(s phone.Registration) { heard = append(heard, s) }
		r.do(func() { r.reg.Register(hear) })
		if s := r.reg.Status(); s.IsRegistered || s.Reason != "no answer from pbx.example:5080 yet" {
			t.Errorf("%+v", s)
		}
		r.answer(100, "Trying")
		r.answer(200, "OK", "Contact: <sip:6001@192.0.2.1:5070>;expires=60")
		registered := phone.Registration{IsRegistered: true, StatusCode: 200, Reason: "OK", Expires: 60}
		if r.reg.Status() != registered || len(heard) != 1 || heard[0] != registered {
			t.Errorf("%+v, %+v", r.reg.Status(), heard)
		}

		r.pass(54*time.Second - time.Millisecond)
		r.last(1)
		r.pass(time.Millisecond)
		if second := r.last(2); second.CSeq().SeqNo != 2 || second.CallID().Value() != "token1" {
			t.Error(second)
		}
		r.answer(200, "OK")

		r.source = "192.0.2.9" // the way to the registrar has changed; the binding has not
		r.do(func() { r.reg.Unregister(hear) })
		if third := r.last(3); third.Contact().Value() != "<sip:6001@192.0.2.1:5070>;expires=0" || third.GetHeader("Expires").Value() != "0" {
			t.Error(third)
		}
		r.answer(200, "OK")
		if s := r.reg.Status(); s.IsRegistered || s.StatusCode != 200 || len(heard) != 2 || heard[1] != s {
			t.Errorf("%+v, %+v", s, heard)
		}
		r.pass(time.Hour)
		r.last(3)
		want := []string{"reg.started 0 no answer from pbx.example:5080 yet", "reg.success 200 OK", "reg.started 200 OK", "reg.success 200 OK", "reg.unregistered 200 OK"}
		if !reflect.DeepEqual(r.reports, want) {
			t.Errorf("%q\nwant\n%q", r.reports, want)
		}
	})
}

func TestFailuresAreTriedAgainAndNamed(t *testing.T) {
	house(t, func(t *testing.T, r *registrar) {
		r.lookup = fmt.Errorf("no such host")
		r.do(func() { r.reg.Register(nil) })
		if s := r.reg.Status(); s != (phone.Registration{Reason: "registrar pbx.example:5080: no such host"}) {
			t.Errorf("%+v", s)
		}
		r.lookup = nil
		r.pass(1100 * time.Millisecond)
		r.last(1)
		r.do(func() { r.sent[0].OnFail(fmt.Errorf("no answer within 32 s")) })
		if s := r.reg.Status(); s != (phone.Registration{Reason: "registrar pbx.example:5080: no answer within 32 s"}) {
			t.Errorf("%+v", s)
		}
		r.pass(2100 * time.Millisecond)
		r.last(2)
		r.answer(423, "Interval Too Brief", "Min-Expires: 900")
		if third := r.last(3); third.Contact().Value() != "<sip:6001@192.0.2.1:5070>;expires=900" {
			t.Error(third)
		}
		r.answer(503, "Service Unavailable", "Retry-After: 30 (maintenance);duration=5")
		r.pass(29 * time.Second)
		r.last(3)
		r.pass(2 * time.Second)
		r.last(4)
	})
}

func TestEveryoneWhoAsksIsAnswered(t *testing.T) {
	house(t, func(t *testing.T, r *registrar) {
		var heard []string
		hear := func(who string) func(phone.Registration) {
			return func(s phone.Registration) { heard = append(heard, fmt.Sprintf("%s %d", who, s.StatusCode)) }
		}
		r.do(func() { r.reg.Unregister(hear("a")) }) // nothing to remove
		r.do(func() { r.reg.Register(hear("b")) })
		r.do(func() { r.reg.Register(hear("c")) }) // waits for a fresh one
		r.answer(423, "x", "Min-Expires: 400")     // b's goes on
		r.answer(403, "Forbidden")
		r.answer(200, "OK")
		r.do(func() { r.reg.Close(func() { heard = append(heard, "closed") }) })
		r.do(func() { r.reg.Register(hear("d")) })
		r.answer(200, "OK")
		r.do(func() { r.reg.Register(hear("e")) })
		r.do(func() { r.reg.Close(func() { heard = append(heard, "closed again") }) })
		want := []string{"a 0", "b 403", "c 200", "d 200", "closed", "e 200", "closed again"}
		if !reflect.DeepEqual(heard, want) {
			t.Errorf("%q\nwant\n%q", heard, want)
		}
		r.last(4)
	})
}

func TestCloseDoesNotWaitForASilentRegistrar(t *testing.T) {
	house(t, func(t *testing.T, r *registrar) {
		began, closed := time.Now(), time.Time{}
		r.do(func() { r.reg.Register(nil) })
		r.do(func() { r.reg.Close(func() { closed = time.Now() }) })
		r.pass(time.Minute)
		if closed.Sub(began) != closePatience {
			t.Errorf("closed after %v", closed.Sub(began))
		}
		before := r.reg.Status()
		r.answer(200, "OK") // too late
		if r.reg.Status() != before || len(r.reports) != 1 {
			t.Errorf("%+v, %q", r.reg.Status(), r.reports)
		}
	})
}

func TestACallbackMayCallBack(t *testing.T) {
	house(t, func(t *testing.T, r *registrar) {
		r.do(func() { r.reg.Register(func(phone.Registration) { r.reg.Register(nil) }) })
		r.answer(200, "OK")
		r.last(2)
	})
}

func TestGranted(t *testing.T) {
	own := sip.Uri{Scheme: "sip", User: "6001", Host: "Phone.example", Port: 5070}
	for _, row := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"our contact's", []string{"Contact: <sip:6001@phone.example:5070>;expires=70", "Expires: 80"}, 70},
		{"ours among others", []string{"Contact: <sip:6001@phone.example:5071>;expires=10, <sip:6001@phone.example:5070>;q=1;Expires=70", "Contact: <sip:x@y>;expires=20"}, 70},
		{"rewritten on the way", []string{"Contact: <sip:6001@198.51.100.1:33333>;expires=70"}, 70},
		{"the header", []string{"Contact: <sip:6001@phone.example:5070>", "Expires: 80"}, 80},
		{"the header, since the parameter is no number", []string{"Contact: <sip:6001@phone.example:5070>;expires=soon", "Expires: 80"}, 80},
		{"neither", nil, 300},
		{"all gone but others", []string{"Contact: <sip:6001@a:1>;expires=10", "Contact: <sip:6001@b:1>;expires=20"}, 300},
		{"zero", []string{"Contact: <sip:6001@phone.example:5070>;expires=0"}, 0},
		{"beyond reason", []string{"Expires: 2147483647"}, maxExpires},
	} {
		if got := granted(response(200, "OK", row.headers...), own, 300); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
}

func TestReasonPhrase(t *testing.T) {
	for reason, want := range map[string]string{
		"Forbidden": "Forbidden", " ": "status 403", "a\x1bb\tc": "abc", strings.Repeat("é", 100): strings.Repeat("é", 60) + "…",
	} {
		res := response(403, "x")
		res.Reason = reason
		if got := phrase(res); got != want {
			t.Errorf("%q: %q, want %q", reason, got, want)
		}
	}
}

func TestDomain(t *testing.T) {
	for domain, want := range map[string]string{
		"pbx.example": "sip:pbx.example", "pbx.example:5080": "sip:pbx.example:5080", "192.0.2.1": "sip:192.0.2.1", "[2001:db8::1]:5080": "sip:[2001:db8::1]:5080",
	} {
		uri := parseDomain(domain)
		if got := uri.String(); got != want {
			t.Errorf("%s: %s, want %s", domain, got, want)
		}
	}
}

func TestTheConnectionEnds(t *testing.T) {
	house(t, func(t *testing.T, r *registrar) {
		flow := sipua.Target{Transport: phone.TCP, Addr: netip.MustParseAddrPort("192.0.2.9:5080")}
		other := sipua.Target{Transport: phone.TCP, Addr: netip.MustParseAddrPort("192.0.2.8:5080")}
		sent := func(n int) sipua.Outgoing {
			t.Helper()
			r.last(n)
			o := r.sent[n-1]
			r.do(func() { o.OnSent(o.Request, flow) })
			return o
		}
		lost := func(to sipua.Target) { r.do(func() { r.reg.Lost(to, errors.New("cut")) }) }
		r.do(func() { r.reg.Register(nil) })
		sent(1)
		r.answer(200, "OK", "Contact: <sip:6001@192.0.2.1:5070>;expires=300")
		r.pass(time.Minute)
		lost(other)
		r.pass(10 * time.Second)
		lost(flow)
		r.last(1)
		r.pass(2 * time.Second)

		// It ends again, before the answer, which then comes too late.
		o := sent(2)
		lost(flow)
		r.pass(cutPatience)
		if s := r.reg.Status(); s.IsRegistered || s.Reason != "registrar pbx.example:5080: cut" {
			t.Errorf("%+v", s)
		}
		r.do(func() { o.OnResponse(response(200, "OK"), nil) })
		if r.reg.Status().IsRegistered {
			t.Error("an answer that was given up counts")
		}
		r.pass(2 * time.Second)
		sent(3)
		r.answer(200, "OK", "Contact: <sip:6001@192.0.2.1:5070>;expires=300")
		if !r.reg.Status().IsRegistered {
			t.Error("not registered again")
		}
	})
}
