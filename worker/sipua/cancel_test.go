package sipua

import (
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

// ringing makes b ring, or only send 100, and end with 487 when cancelled.
func ringing(b *testPhone, status int) (rang chan *ServerTx, cancelled chan *sip.Request) {
	rang, cancelled = make(chan *ServerTx, 1), make(chan *sip.Request, 1)
	b.handle(func(tx *ServerTx, req *sip.Request) {
		tx.OnCancel(func(cancel *sip.Request) {
			cancelled <- cancel
			_ = tx.Respond(NewResponse(req, 487, "", "tag"))
		})
		if status != 0 {
			_ = tx.Respond(NewResponse(req, status, "", "tag"))
		}
		rang <- tx
	})
	return rang, cancelled
}

func TestCancelWhileRinging(t *testing.T) {
	eachTransport(t, func(t *testing.T, a, b *testPhone) {
		_, cancelled := ringing(b, 180)
		tx, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}})
		got.want(180)
		a.do(func() { tx.Cancel(sip.NewHeader("Reason", `SIP;cause=200;text="Call completed elsewhere"`)) })
		cancel := take(t, cancelled)
		if cancel.GetHeader("Reason") == nil || cancel.CSeq().SeqNo != 1 {
			t.Errorf("CANCEL is\n%s", cancel)
		}
		got.want(487)
	})
}

func TestCancelBeforeAnyResponse(t *testing.T) {
	eachTransport(t, func(t *testing.T, a, b *testPhone) {
		// b says nothing: its 100 comes after 200 ms by itself, and only
		// then may the CANCEL leave.
		_, cancelled := ringing(b, 0)
		tx, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}})
		a.do(func() { tx.Cancel() })
		take(t, cancelled)
		got.want(487)
	})
}

func TestCancelThatCrossesTheAnswer(t *testing.T) {
	a, b := newPhone(t, nil), newPhone(t, nil)
	rang, _ := ringing(b, 180)
	tx, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}})
	got.want(180)
	server := take(t, rang)
	a.do(func() {
		b.do(func() { _ = server.Respond(NewResponse(server.Request(), 200, "", "tag")) })
		tx.Cancel()
	})
	got.want(200)
	a.do(func() { tx.Cancel() }) // nothing left to cancel
}

func TestCancelIsNotAnsweredWithCredentialsOrAnotherTarget(t *testing.T) {
	a, b := newPhone(t, nil), newPhone(t, nil)
	a.login("secret")
	rang, cancelled := ringing(b, 180)
	tx, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target(), deafSocket(t)}, Authenticate: true})
	got.want(180)
	server := take(t, rang)
	b.do(func() { server.OnCancel(func(c *sip.Request) { cancelled <- c }) })
	a.do(func() { tx.Cancel() })
	take(t, cancelled)
	b.do(func() {
		res := NewResponse(server.Request(), 401, "", "tag")
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", `Digest realm="r", nonce="n"`))
		_ = server.Respond(res)
	})
	got.want(401)
}

func TestCancelledAndNeverEnded(t *testing.T) {
	a, b := newPhone(t, fast), newPhone(t, nil)
	rang, _ := ringing(b, 180)
	tx, got := a.send(Outgoing{Request: request(sip.INVITE, "call"), Targets: []Target{b.target()}})
	got.want(180)
	server := take(t, rang)
	b.do(func() { server.OnCancel(func(*sip.Request) {}) })
	a.do(func() { tx.Cancel() })
	got.wantFailure(phone.Unreachable, "nobody answered in time")
}
