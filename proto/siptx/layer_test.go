package siptx

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"ringmaster/loop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type testHop struct{ reliable bool }

func (h testHop) Reliable() bool { return h.reliable }

// bench is a layer on a loop in a bubble of fake time, with a diary of what
// was sent and told, each entry with the milliseconds since the start.
type bench struct {
	t     *testing.T
	loop  *loop.Loop
	layer *Layer
	begin time.Time
	diary []string
	fail  error // what sending gives
	sent  []sip.Message
	user  func(tx *ServerTx, req *sip.Request)
	txs   []*ServerTx
}

// onBench runs test on the loop and then, for life, what it has set going.
func onBench(t *testing.T, merged bool, life time.Duration, test func(b *bench)) *bench {
	t.Helper()
	var b *bench
	synctest.Test(t, func(t *testing.T) {
		b = &bench{t: t, loop: loop.New(nil), begin: time.Now()}
		b.layer = NewLayer(b.loop, Config{Send: b.send, User: b, NewTag: func() string { return "made" }, RefuseMerged: merged})
		b.loop.Defer(func() { test(b) })
		b.loop.After(life, b.loop.Stop)
		b.loop.Run()
	})
	return b
}

func (b *bench) note(format string, args ...any) {
	b.diary = append(b.diary, fmt.Sprintf("%d ", time.Since(b.begin).Milliseconds())+fmt.Sprintf(format, args...))
}

func (b *bench) send(msg sip.Message, _ Hop, result func(error)) {
	line, _, _ := strings.Cut(msg.String(), "\r\n")
	b.note("sent %s", line)
	b.sent = append(b.sent, msg)
	if result != nil {
		err := b.fail
		b.loop.Defer(func() { result(err) })
	}
}

func (b *bench) Request(tx *ServerTx, req *sip.Request) {
	b.note("request %s", req.Method)
	b.txs = append(b.txs, tx)
	tx.OnFail(func(err error) { b.note("failed %v", err) })
	tx.OnCancel(func(*sip.Request) { b.note("cancelled") })
	if b.user != nil {
		b.user(tx, req)
	}
}

func (b *bench) Ack(*sip.Request)        { b.note("ack") }
func (b *bench) Stray(res *sip.Response) { b.note("stray %d", res.StatusCode) }

// events notes what a client transaction tells.
func (b *bench) events() ClientEvents {
	return ClientEvents{
		Sent:     func() { b.note("left") },
		Response: func(res *sip.Response) { b.note("response %d", res.StatusCode) },
		Fail:     func(err error) { b.note("failed %v", err) },
	}
}

func (b *bench) at(d time.Duration, fn func()) { b.loop.After(d, fn) }

func (b *bench) want(lines ...string) {
	b.t.Helper()
	if !slices.Equal(b.diary, lines) {
		b.t.Errorf("diary:\n%s\nwant:\n%s", strings.Join(b.diary, "\n"), strings.Join(lines, "\n"))
	}
}

// message parses text written with one line each.
func message(text string) sip.Message {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
	msg, err := sip.ParseMessage([]byte(text))
	if err != nil {
		panic(err)
	}
	return msg
}

func request(method, branch string) *sip.Request {
	return message(fmt.Sprintf(`%s sip:b@h SIP/2.0
Via: SIP/2.0/UDP a.test:5070;branch=%s
Route: <sip:proxy.test;lr>
From: "A" <sip:a@h>;tag=f
To: <sip:b@h>
Call-ID: id
CSeq: 7 %s
Max-Forwards: 70`, method, branch, method)).(*sip.Request)
}

// response answers req as its far end would.
func response(req *sip.Request, status int, toTag string) *sip.Response {
	return NewResponse(req, status, "", toTag)
}

var udp, tcp = testHop{}, testHop{true}

const line = " sip:b@h SIP/2.0"

func TestInviteIsRepeatedUntilTimerB(t *testing.T) {
	b := onBench(t, false, time.Minute, func(b *bench) {
		if _, err := b.layer.Request(request("INVITE", "z9hG4bK1"), udp, b.events()); err != nil {
			t.Error(err)
		}
	})
	b.want("0 sent INVITE"+line, "0 left", "500 sent INVITE"+line, "1500 sent INVITE"+line, "3500 sent INVITE"+line,
		"7500 sent INVITE"+line, "15500 sent INVITE"+line, "31500 sent INVITE"+line, "32000 failed nobody answered in time")
	if c, s := b.layer.Count(); c+s != 0 {
		t.Errorf("%d, %d transactions are left", c, s)
	}
}

func TestStreamIsNotRepeated(t *testing.T) {
	b := onBench(t, false, time.Minute, func(b *bench) {
		_, _ = b.layer.Request(request("OPTIONS", "z9hG4bK1"), tcp, b.events())
	})
	b.want("0 sent OPTIONS"+line, "0 left", "32000 failed nobody answered in time")
}

// The network gives a request back: RFC 3261 §18.4.
func TestUndeliveredRequestsFailAtOnce(t *testing.T) {
	gone := errors.New("gone")
	b := onBench(t, false, time.Minute, func(b *bench) {
		_, _ = b.layer.Request(request("OPTIONS", "z9hG4bKo"), udp, b.events())
		b.at(10*time.Millisecond, func() { b.layer.Undelivered("OPTIONS", "z9hG4bKother", gone) })
		b.at(20*time.Millisecond, func() { b.layer.Undelivered("BYE", "z9hG4bKo", gone) })
		b.at(30*time.Millisecond, func() { b.layer.Undelivered("OPTIONS", "Z9HG4BKO", gone) })
		b.at(40*time.Millisecond, func() { b.layer.Undelivered("OPTIONS", "z9hG4bKo", gone) })
	})
	b.want("0 sent OPTIONS"+line, "0 left", "30 failed gone")
}

// An INVITE that has had an answer did arrive; the ACK of a refusal may not,
// which ends the transaction without a word.
func TestUndeliveredAfterAnAnswer(t *testing.T) {
	gone := errors.New("gone")
	b := onBench(t, false, time.Second, func(b *bench) {
		req := request("INVITE", "z9hG4bKi")
		_, _ = b.layer.Request(req, udp, b.events())
		b.at(10*time.Millisecond, func() { b.layer.Receive(response(req, 180, "t"), udp) })
		b.at(20*time.Millisecond, func() { b.layer.Undelivered("INVITE", "z9hG4bKi", gone) })
		b.at(30*time.Millisecond, func() { b.layer.Receive(response(req, 486, "t"), udp) })
		b.at(40*time.Millisecond, func() { b.layer.Undelivered("ACK", "z9hG4bKi", gone) })
	})
	b.want("0 sent INVITE"+line, "0 left", "10 response 180", "30 sent ACK"+line, "30 response 486")
	if c, _ := b.layer.Count(); c != 0 {
		t.Errorf("%d transactions are left", c)
	}
}

func TestProvisionalSlowsTimerE(t *testing.T) {
	b := onBench(t, false, 12*time.Second, func(b *bench) {
		req := request("OPTIONS", "z9hG4bK1")
		_, _ = b.layer.Request(req, udp, b.events())
		b.at(600*time.Millisecond, func() { b.layer.Receive(response(req, 100, ""), udp) })
		b.at(6*time.Second, func() { b.layer.Receive(response(req, 200, "t"), udp) })
		b.at(7*time.Second, func() { b.layer.Receive(response(req, 200, "t"), udp) })
	})
	b.want("0 sent OPTIONS"+line, "0 left", "500 sent OPTIONS"+line, "600 response 100", "1500 sent OPTIONS"+line,
		"5500 sent OPTIONS"+line, "6000 response 200")
	if c, _ := b.layer.Count(); c != 0 {
		t.Errorf("%d transactions outlive timer K", c)
	}
}

func TestRefusedInviteIsAcked(t *testing.T) {
	b := onBench(t, false, time.Minute, func(b *bench) {
		req := request("INVITE", "z9hG4bK1")
		_, _ = b.layer.Request(req, udp, b.events())
		refuse := func() { b.layer.Receive(response(req, 486, "t"), udp) }
		b.at(10*time.Millisecond, refuse)
		b.at(20*time.Millisecond, refuse) // our ACK was lost
	})
	b.want("0 sent INVITE"+line, "0 left", "10 sent ACK"+line, "10 response 486", "20 sent ACK"+line)
	want := "ACK sip:b@h SIP/2.0\r\n" + // RFC 3261 §17.1.1.3
		"Via: SIP/2.0/UDP a.test:5070;branch=z9hG4bK1\r\n" +
		"Route: <sip:proxy.test;lr>\r\n" +
		"Max-Forwards: 70\r\n" +
		"From: \"A\" <sip:a@h>;tag=f\r\n" +
		"Call-ID: id\r\n" +
		"CSeq: 7 ACK\r\n" +
		"To: <sip:b@h>;tag=t\r\n" +
		"Content-Length: 0\r\n\r\n"
	if got := b.sent[1].String(); got != want {
		t.Errorf("the ACK is\n%s\nwant\n%s", got, want)
	}
}

func TestEvery2xxReachesTheUser(t *testing.T) {
	b := onBench(t, false, time.Minute, func(b *bench) {
		req := request("INVITE", "z9hG4bK1")
		_, _ = b.layer.Request(req, udp, b.events())
		for i, r := range []struct {
			status int
			tag    string
		}{{180, "t"}, {200, "t"}, {200, "t"}, {200, "u"}, {486, "v"}, {183, "t"}} {
			b.at(time.Duration(i+1)*time.Millisecond, func() { b.layer.Receive(response(req, r.status, r.tag), udp) })
		}
		b.at(40*time.Second, func() { b.layer.Receive(response(req, 200, "t"), udp) })
		b.at(40*time.Second, func() { b.layer.Receive(response(req, 486, "t"), udp) })
	})
	b.want("0 sent INVITE"+line, "0 left", "1 response 180", "2 response 200", "3 response 200", "4 response 200", "40000 stray 200")
}

func TestTransportErrorOfARequest(t *testing.T) {
	for _, method := range []string{"INVITE", "BYE"} {
		b := onBench(t, false, time.Minute, func(b *bench) {
			b.fail = errors.New("no way")
			_, _ = b.layer.Request(request(method, "z9hG4bK1"), udp, b.events())
		})
		b.want("0 sent "+method+line, "0 failed no way")
	}
}

func TestAnswerBeforeTheNewsThatItLeft(t *testing.T) {
	b := onBench(t, false, time.Second, func(b *bench) {
		req := request("BYE", "z9hG4bK1")
		_, _ = b.layer.Request(req, udp, b.events())
		b.layer.Receive(response(req, 200, "t"), udp) // before the deferred result
	})
	b.want("0 sent BYE"+line, "0 left", "0 response 200")
}

func TestCancel(t *testing.T) {
	t.Run("after a provisional response", func(t *testing.T) {
		b := onBench(t, false, time.Minute, func(b *bench) {
			req := request("INVITE", "z9hG4bK1")
			tx, _ := b.layer.Request(req, udp, b.events())
			b.at(1*time.Millisecond, func() { b.layer.Receive(response(req, 180, "t"), udp) })
			b.at(2*time.Millisecond, func() {
				tx.Cancel(sip.NewHeader("Reason", "SIP;cause=200"))
				tx.Cancel()
			})
			b.at(3*time.Millisecond, func() { b.layer.Receive(response(b.sent[1].(*sip.Request), 200, "t"), udp) })
			b.at(4*time.Millisecond, func() { b.layer.Receive(response(req, 487, "t"), udp) })
		})
		b.want("0 sent INVITE"+line, "0 left", "1 response 180", "2 sent CANCEL"+line, "4 sent ACK"+line, "4 response 487")
		want := "CANCEL sip:b@h SIP/2.0\r\n" + // RFC 3261 §9.1
			"Via: SIP/2.0/UDP a.test:5070;branch=z9hG4bK1\r\n" +
			"Route: <sip:proxy.test;lr>\r\n" +
			"Max-Forwards: 70\r\n" +
			"From: \"A\" <sip:a@h>;tag=f\r\n" +
			"Call-ID: id\r\n" +
			"CSeq: 7 CANCEL\r\n" +
			"To: <sip:b@h>\r\n" +
			"Reason: SIP;cause=200\r\n" +
			"Content-Length: 0\r\n\r\n"
		if got := b.sent[1].String(); got != want {
			t.Errorf("the CANCEL is\n%s\nwant\n%s", got, want)
		}
	})
	t.Run("waits for a provisional response", func(t *testing.T) {
		b := onBench(t, false, time.Second, func(b *bench) {
			req := request("INVITE", "z9hG4bK1")
			tx, _ := b.layer.Request(req, tcp, b.events())
			tx.Cancel()
			b.at(5*time.Millisecond, func() { b.layer.Receive(response(req, 100, ""), tcp) })
		})
		b.want("0 sent INVITE"+line, "0 left", "5 response 100", "5 sent CANCEL"+line)
	})
	t.Run("from within the response", func(t *testing.T) {
		b := onBench(t, false, time.Second, func(b *bench) {
			req := request("INVITE", "z9hG4bK1")
			var tx *ClientTx
			tx, _ = b.layer.Request(req, tcp, ClientEvents{Response: func(*sip.Response) { tx.Cancel() }})
			b.layer.Receive(response(req, 180, "t"), tcp)
		})
		b.want("0 sent INVITE"+line, "0 sent CANCEL"+line)
	})
	t.Run("no final response", func(t *testing.T) {
		b := onBench(t, false, time.Minute, func(b *bench) {
			req := request("INVITE", "z9hG4bK1")
			tx, _ := b.layer.Request(req, tcp, b.events())
			b.layer.Receive(response(req, 180, "t"), tcp)
			b.at(time.Second, func() { tx.Cancel() })
			b.at(2*time.Second, func() { b.layer.Receive(response(b.sent[1].(*sip.Request), 200, "t"), tcp) })
		})
		b.want("0 sent INVITE"+line, "0 left", "0 response 180", "1000 sent CANCEL"+line, "33000 failed nobody answered in time")
	})
	t.Run("a 200 crosses it", func(t *testing.T) {
		b := onBench(t, false, time.Minute, func(b *bench) {
			req := request("INVITE", "z9hG4bK1")
			tx, _ := b.layer.Request(req, tcp, b.events())
			b.layer.Receive(response(req, 180, "t"), tcp)
			tx.Cancel()
			b.layer.Receive(response(req, 200, "t"), tcp)
			b.layer.Receive(response(b.sent[1].(*sip.Request), 481, "t"), tcp)
		})
		b.want("0 sent INVITE"+line, "0 left", "0 response 180", "0 sent CANCEL"+line, "0 response 200")
	})
	t.Run("not of another method", func(t *testing.T) {
		b := onBench(t, false, time.Second, func(b *bench) {
			req := request("BYE", "z9hG4bK1")
			tx, _ := b.layer.Request(req, tcp, b.events())
			tx.Cancel()
			b.layer.Receive(response(req, 100, "t"), tcp)
		})
		b.want("0 sent BYE"+line, "0 left", "0 response 100")
	})
}

func TestRequestsThatAreRefused(t *testing.T) {
	onBench(t, false, time.Second, func(b *bench) {
		broken := request("INVITE", "z9hG4bK1")
		broken.AppendHeader(sip.NewHeader("X-A", "1\r\nX-B: 2"))
		noVia := request("INVITE", "z9hG4bK2")
		noVia.RemoveHeader("Via")
		for name, req := range map[string]*sip.Request{
			"line end": broken, "no Via": noVia, "ACK": request("ACK", "z9hG4bK3"),
		} {
			if tx, err := b.layer.Request(req, udp, ClientEvents{}); err == nil || tx != nil {
				t.Errorf("%s: no error", name)
			}
		}
		_, first := b.layer.Request(request("BYE", "z9hG4bK4"), udp, ClientEvents{})
		_, second := b.layer.Request(request("BYE", "z9hG4bK4"), udp, ClientEvents{})
		if first != nil || second == nil {
			t.Errorf("the same branch twice: %v, %v", first, second)
		}
		if len(b.sent) != 1 {
			t.Errorf("%d messages were sent, want the first BYE only", len(b.sent))
		}
	})
}
