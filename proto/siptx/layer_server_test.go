package siptx

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func (b *bench) respond(status int) {
	b.t.Helper()
	tx := b.txs[len(b.txs)-1]
	if err := tx.Respond(NewResponse(tx.Request(), status, "", "here")); err != nil {
		b.t.Error(err)
	}
}

func TestSilentUserGets100Sent(t *testing.T) {
	b := onBench(t, false, time.Second, func(b *bench) {
		b.layer.Receive(request("INVITE", "z9hG4bK1"), udp)
		b.at(100*time.Millisecond, func() { b.layer.Receive(request("INVITE", "z9hG4bK1"), udp) })
		b.at(300*time.Millisecond, func() { b.layer.Receive(request("INVITE", "z9hG4bK1"), udp) })
	})
	b.want("0 request INVITE", "200 sent SIP/2.0 100 Trying", "300 sent SIP/2.0 100 Trying")
	if got := b.sent[0].To().Value(); got != "<sip:b@h>" {
		t.Errorf("To of the 100 is %s", got)
	}
}

func TestNo100AfterAnAnswer(t *testing.T) {
	b := onBench(t, false, time.Second, func(b *bench) {
		b.layer.Receive(request("INVITE", "z9hG4bK1"), udp)
		b.respond(180)
		b.at(300*time.Millisecond, func() { b.layer.Receive(request("INVITE", "z9hG4bK1"), udp) })
	})
	b.want("0 request INVITE", "0 sent SIP/2.0 180 Ringing", "300 sent SIP/2.0 180 Ringing")
}

func TestRefusalIsRepeatedUntilAcked(t *testing.T) {
	b := onBench(t, false, 40*time.Second, func(b *bench) {
		b.layer.Receive(request("INVITE", "z9hG4bK1"), udp)
		b.respond(486)
		b.respond(200) // too late: no effect
		b.at(4*time.Second, func() { b.layer.Receive(request("ACK", "z9hG4bK1"), udp) })
		b.at(5*time.Second, func() { b.layer.Receive(request("ACK", "z9hG4bK1"), udp) })
	})
	b.want("0 request INVITE", "0 sent SIP/2.0 486 Busy Here", "500 sent SIP/2.0 486 Busy Here",
		"1500 sent SIP/2.0 486 Busy Here", "3500 sent SIP/2.0 486 Busy Here")
	if c, s := b.layer.Count(); c+s != 0 {
		t.Errorf("%d, %d transactions are left", c, s)
	}
}

func TestRefusalWithoutAckFails(t *testing.T) {
	b := onBench(t, false, 40*time.Second, func(b *bench) {
		b.layer.Receive(request("INVITE", "z9hG4bK1"), tcp)
		b.respond(486)
	})
	b.want("0 request INVITE", "0 sent SIP/2.0 486 Busy Here", "32000 failed nobody answered in time")
}

func Test2xxIsTheUsersToRepeat(t *testing.T) {
	b := onBench(t, false, 40*time.Second, func(b *bench) {
		b.layer.Receive(request("INVITE", "z9hG4bK1"), udp)
		b.respond(200)
		b.at(100*time.Millisecond, func() { b.layer.Receive(request("INVITE", "z9hG4bK1"), udp) }) // absorbed
		b.at(500*time.Millisecond, func() { b.respond(200) })
		b.at(600*time.Millisecond, func() { b.respond(180); b.respond(500) }) // no effect
		b.at(700*time.Millisecond, func() { b.layer.Receive(request("ACK", "z9hG4bK-its-own"), udp) })
		b.at(800*time.Millisecond, func() { b.layer.Receive(request("ACK", "z9hG4bK1"), udp) }) // of a peer that errs
	})
	b.want("0 request INVITE", "0 sent SIP/2.0 200 OK", "500 sent SIP/2.0 200 OK", "700 ack", "800 ack")
}

func TestRepeatedRequestGetsTheSameAnswer(t *testing.T) {
	b := onBench(t, true, 40*time.Second, func(b *bench) {
		b.layer.Receive(request("MESSAGE", "z9hG4bK1"), udp)
		b.at(1*time.Millisecond, func() { b.layer.Receive(request("MESSAGE", "z9hG4bK1"), udp) }) // nothing to repeat yet
		b.at(2*time.Millisecond, func() { b.respond(200) })
		b.at(3*time.Millisecond, func() { b.layer.Receive(request("MESSAGE", "z9hG4bK1"), udp) })
		b.at(39*time.Second, func() { b.layer.Receive(request("MESSAGE", "z9hG4bK1"), udp) }) // after timer J: new
	})
	b.want("0 request MESSAGE", "2 sent SIP/2.0 200 OK", "3 sent SIP/2.0 200 OK", "39000 request MESSAGE")
}

func TestCancelOfAServerTransaction(t *testing.T) {
	b := onBench(t, false, time.Second, func(b *bench) {
		b.layer.Receive(request("INVITE", "z9hG4bK1"), udp)
		b.respond(180)
		b.layer.Receive(request("CANCEL", "z9hG4bK1"), udp)
		b.layer.Receive(request("CANCEL", "z9hG4bK1"), udp) // again: answered, not told
		b.respond(487)
		b.layer.Receive(request("CANCEL", "z9hG4bK-other"), udp)
	})
	b.want("0 request INVITE", "0 sent SIP/2.0 180 Ringing", "0 sent SIP/2.0 200 OK", "0 cancelled", "0 sent SIP/2.0 200 OK",
		"0 sent SIP/2.0 487 Request Terminated", "0 sent SIP/2.0 481 Call/Transaction Does Not Exist", "500 sent SIP/2.0 487 Request Terminated")
	if got := tag(b.sent[1].To().Params); got != "here" {
		t.Errorf("the 200 to the CANCEL has To tag %q, the INVITE's is %q", got, "here")
	}
}

func TestCancelAfterTheFinalResponse(t *testing.T) {
	b := onBench(t, false, 100*time.Millisecond, func(b *bench) {
		b.layer.Receive(request("INVITE", "z9hG4bK1"), udp)
		b.respond(200)
		b.layer.Receive(request("CANCEL", "z9hG4bK1"), udp)
	})
	b.want("0 request INVITE", "0 sent SIP/2.0 200 OK", "0 sent SIP/2.0 200 OK")
}

func TestMergedRequest(t *testing.T) { // RFC 3261 §8.2.2.2
	for _, refuse := range []bool{true, false} {
		b := onBench(t, refuse, time.Minute, func(b *bench) {
			b.layer.Receive(request("OPTIONS", "z9hG4bK1"), tcp)
			b.layer.Receive(request("OPTIONS", "z9hG4bK2"), tcp)
			inDialog := request("OPTIONS", "z9hG4bK3")
			inDialog.To().Params.Add("tag", "t")
			b.layer.Receive(inDialog, tcp)
		})
		second := "0 request OPTIONS"
		if refuse {
			second = "0 sent SIP/2.0 482 Loop Detected"
		}
		b.want("0 request OPTIONS", second, "0 request OPTIONS")
	}
}

func TestMatchingOfRequests(t *testing.T) { // RFC 3261 §17.2.3
	first := func() *sip.Request { return request("INVITE", "z9hG4bK1") }
	for _, row := range []struct {
		name   string
		change func(req *sip.Request)
		same   bool
	}{
		{"the same", func(*sip.Request) {}, true},
		{"branch in capitals", func(r *sip.Request) { r.Via().Params.Add("branch", "Z9HG4BK1") }, true},
		{"other branch", func(r *sip.Request) { r.Via().Params.Add("branch", "z9hG4bK2") }, false},
		{"other sent-by port", func(r *sip.Request) { r.Via().Port = 5071 }, false},
		{"other sent-by host", func(r *sip.Request) { r.Via().Host = "other.test" }, false},
		{"sent-by in capitals", func(r *sip.Request) { r.Via().Host = "A.TEST" }, true},
	} {
		b := onBench(t, false, time.Millisecond, func(b *bench) {
			b.layer.Receive(first(), udp)
			second := first()
			row.change(second)
			b.layer.Receive(second, udp)
		})
		if same := len(b.txs) == 1; same != row.same {
			t.Errorf("%s: the same transaction: %v", row.name, same)
		}
	}
}

func TestMatchingWithoutMagicCookie(t *testing.T) { // RFC 2543 clients
	old := func(method string, change func(r *sip.Request)) *sip.Request {
		req := request(method, "1")
		if change != nil {
			change(req)
		}
		return req
	}
	b := onBench(t, false, time.Minute, func(b *bench) {
		b.layer.Receive(old("INVITE", nil), udp)
		b.layer.Receive(old("INVITE", nil), udp)
		b.respond(486)
		b.layer.Receive(old("ACK", func(r *sip.Request) { r.To().Params.Add("tag", "here") }), udp)
		b.layer.Receive(old("INVITE", func(r *sip.Request) { r.CSeq().SeqNo = 8 }), udp)
	})
	b.want("0 request INVITE", "0 sent SIP/2.0 486 Busy Here", "0 request INVITE", "200 sent SIP/2.0 100 Trying")
}

func TestUnsendableResponseIsToldOnce(t *testing.T) {
	b := onBench(t, false, 2*time.Second, func(b *bench) {
		b.layer.Receive(request("INVITE", "z9hG4bK1"), udp)
		b.fail = errors.New("no way")
		b.respond(486)
	})
	b.want("0 request INVITE", "0 sent SIP/2.0 486 Busy Here", "0 failed no way",
		"500 sent SIP/2.0 486 Busy Here", "1500 sent SIP/2.0 486 Busy Here")
}

func TestResponsesThatAreRefused(t *testing.T) {
	onBench(t, false, time.Millisecond, func(b *bench) {
		b.layer.Receive(request("BYE", "z9hG4bK1"), udp)
		tx := b.txs[0]
		split := NewResponse(tx.Request(), 200, "OK\r\nX: y", "here")
		header := NewResponse(tx.Request(), 200, "", "here")
		header.AppendHeader(sip.NewHeader("X Y", "z"))
		for i, res := range []*sip.Response{split, header, NewResponse(tx.Request(), 99, "x", ""), NewResponse(tx.Request(), 700, "x", "")} {
			if err := tx.Respond(res); err == nil {
				t.Errorf("response %d was sent", i)
			}
		}
		if err := tx.Respond(NewResponse(tx.Request(), 200, "", "here")); err != nil || len(b.sent) != 1 {
			t.Errorf("after refused ones: %v, %d sent", err, len(b.sent))
		}
	})
}

func TestTheBodyOfAnAnsweredRequestIsNotKept(t *testing.T) {
	onBench(t, false, time.Second, func(b *bench) {
		req := request("MESSAGE", "z9hG4bK1")
		req.SetBody(make([]byte, 60_000))
		b.layer.Receive(req, udp)
		tx := b.txs[0]
		if len(tx.Request().Body()) != 60_000 {
			t.Error("the body is not there before the answer")
		}
		b.respond(200)
		kept := tx.Request()
		if len(kept.Body()) != 0 || kept.StartLine() != req.StartLine() || len(kept.Headers()) != len(req.Headers()) || kept.Via() != req.Via() {
			t.Errorf("kept:\n%s", kept)
		}
		if len(req.Body()) != 60_000 {
			t.Error("the user's own request has lost its body")
		}
	})
}

func TestFloodIsBounded(t *testing.T) {
	b := onBench(t, false, time.Millisecond, func(b *bench) {
		for i := range maxServerTxs + 2 {
			b.layer.Receive(request("OPTIONS", fmt.Sprintf("z9hG4bK%d", i)), udp)
		}
	})
	if _, n := b.layer.Count(); n != maxServerTxs {
		t.Errorf("%d transactions", n)
	}
	if len(b.sent) != 2 || b.sent[1].(*sip.Response).StatusCode != 503 {
		t.Errorf("%d refusals", len(b.sent))
	}
}

func TestCloseEndsEverything(t *testing.T) {
	b := onBench(t, false, time.Minute, func(b *bench) {
		_, _ = b.layer.Request(request("INVITE", "z9hG4bK1"), udp, b.events())
		b.layer.Receive(request("INVITE", "z9hG4bK2"), udp)
		b.loop.Defer(b.layer.Close)
	})
	b.want("0 sent INVITE"+line, "0 request INVITE", "0 left")
}

func TestNewResponse(t *testing.T) {
	req := request("INVITE", "z9hG4bK1")
	req.AppendHeader(sip.NewHeader("Timestamp", "54"))
	req.AppendHeader(&sip.RecordRouteHeader{Address: sip.Uri{Scheme: "sip", Host: "p1.test"}})
	req.AppendHeader(&sip.RecordRouteHeader{Address: sip.Uri{Scheme: "sip", Host: "p2.test"}})
	req.AppendHeader(&sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "UDP", Host: "second.test"})
	for _, row := range []struct {
		status                      int
		vias, routes, stamps, tagIs string
	}{
		{100, "2", "0", "1", ""},
		{180, "2", "2", "0", "t"},
		{200, "2", "2", "0", "t"},
		{486, "2", "0", "0", "t"},
	} {
		res := NewResponse(req, row.status, "", "t")
		count := func(name string) string { return fmt.Sprint(len(res.GetHeaders(name))) }
		if count("Via") != row.vias || count("Record-Route") != row.routes || count("Timestamp") != row.stamps ||
			tag(res.To().Params) != row.tagIs || tag(res.From().Params) != "f" || res.Reason != ReasonPhrase(row.status) {
			t.Errorf("%d:\n%s", row.status, res)
		}
	}
	if tag(req.To().Params) != "" {
		t.Error("the request's own To was changed")
	}
	req.To().Params.Add("tag", "theirs")
	if got := tag(NewResponse(req, 200, "", "t").To().Params); got != "theirs" {
		t.Errorf("the tag of a request in a dialog became %q", got)
	}
}

func TestReasonPhrase(t *testing.T) {
	for status, want := range map[int]string{100: "Trying", 183: "Session Progress", 200: "OK", 487: "Request Terminated",
		606: "Not Acceptable", 199: "Early Dialog Terminated", 299: "OK", 399: "Multiple Choices", 499: "Bad Request",
		599: "Server Internal Error", 699: "Global Failure", 150: "Session Progress"} {
		if got := ReasonPhrase(status); got != want {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
	}
}
