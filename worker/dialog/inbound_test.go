package dialog

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// write sends a request of the peer to n; to is the To header's tag.
func (p *peer) write(n *end, method string, seq int, toTag, body string, extra ...string) {
	p.t.Helper()
	p.to = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n.ua.LocalPort()}
	if toTag != "" {
		toTag = ";tag=" + toTag
	}
	lines := ""
	for _, l := range extra {
		lines += l + "\r\n"
	}
	p.send(fmt.Sprintf("%s sip:me@127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%s%d;rport\r\n"+
		"From: <sip:peer@example.com>;tag=far\r\nTo: <sip:me@example.com>%s\r\nCall-ID: theirs\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\n%s%s\r\nContent-Length: %d\r\n\r\n%s",
		method, n.ua.LocalPort(), p.port(), method, seq, toTag, seq, method, lines, p.contact(), len(body), body))
}

// ring makes the peer call n.
func ring(t *testing.T, n *end, p *peer, extra ...string) *Session {
	t.Helper()
	p.write(n, "INVITE", 10, "", "offer", extra...)
	n.hears("incoming")
	return <-n.incoming
}

// answered makes a confirmed call from p to n and returns n's tag.
func answered(t *testing.T, n *end, p *peer) (*Session, string) {
	t.Helper()
	s := ring(t, n, p)
	n.on(func() {
		if err := s.Accept([]byte("answer")); err != nil {
			t.Error(err)
		}
	})
	res := p.response(200)
	tag, _ := res.To().Params.Get("tag")
	p.write(n, "ACK", 10, tag, "")
	n.hears("acked ")
	return s, tag
}

func TestAnswerIsRepeatedUntilTheAck(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s := ring(t, n, p)
	n.on(func() {
		_ = s.Progress(180, "Ringing", nil)
		_ = s.Accept([]byte("answer"))
	})
	p.response(180)
	first := p.response(200)
	second := p.response(200)
	if first.String() != second.String() || string(first.Body()) != "answer" || first.Contact() == nil {
		t.Errorf("the 200 came as\n%s\nthen\n%s", first, second)
	}
	tag, _ := first.To().Params.Get("tag")
	p.write(n, "ACK", 10, tag, "")
	n.hears("acked ")
	p.write(n, "BYE", 11, tag, "")
	p.response(200)
	n.hears("byed")
	p.write(n, "INFO", 12, tag, "")
	p.response(481)
}

func TestCancelledBeforeTheAnswer(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s := ring(t, n, p)
	// A CANCEL has its INVITE's branch.
	p.send(fmt.Sprintf("CANCEL sip:me@127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKINVITE10;rport\r\n"+
		"From: <sip:peer@example.com>;tag=far\r\nTo: <sip:me@example.com>\r\nCall-ID: theirs\r\nCSeq: 10 CANCEL\r\nContent-Length: 0\r\n\r\n",
		n.ua.LocalPort(), p.port()))
	p.response(200)
	n.hears("cancelled")
	n.on(func() { _ = s.Refuse(487, "Request Terminated") })
	p.response(487)
}

func TestRequestsThatFitNoDialog(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	_, tag := answered(t, n, p)
	p.write(n, "INFO", 11, "nobody", "")
	p.response(481)
	p.write(n, "INFO", 5, tag, "") // below the INVITE's CSeq
	p.response(500)
	p.write(n, "INFO", 12, tag, "x", "Content-Type: text/plain")
	p.response(415)
	n.hears("info text/plain")
	p.write(n, "INFO", 13, tag, "Signal=1", "Content-Type: application/dtmf-relay")
	p.response(200)
	n.hears("info application/dtmf-relay")
	p.write(n, "PUBLISH", 14, tag, "")
	if res := p.response(405); res.GetHeader("Allow") == nil {
		t.Error("405 without Allow")
	}
	p.write(n, "INVITE", 15, tag, "offer", "Require: replaces, magic")
	if res := p.response(420); res.GetHeader("Unsupported").Value() != "magic" {
		t.Errorf("420 as\n%s", res)
	}
}

func TestOffersWithinTheDialog(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	_, tag := answered(t, n, p)
	n.on(func() { n.answer = []byte("new answer") })
	p.write(n, "INVITE", 11, tag, "new offer")
	if res := p.response(200); string(res.Body()) != "new answer" {
		t.Errorf("the answer is %q", res.Body())
	}
	n.hears("reoffered new offer")
	p.write(n, "ACK", 11, tag, "")
	n.hears("acked ")
	p.write(n, "UPDATE", 12, tag, "third offer")
	if res := p.response(200); string(res.Body()) != "new answer" {
		t.Errorf("the answer to UPDATE is %q", res.Body())
	}
	n.hears("reoffered third offer")
	n.on(func() { n.refuse = errors.New("no") })
	p.write(n, "INVITE", 13, tag, "bad offer")
	p.response(488)
	n.hears("reoffered bad offer")
}

func TestGlareIsRefused(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s, tag := answered(t, n, p)
	n.on(func() {
		s.Reoffer(Reoffer{
			Offer: func() ([]byte, error) { return []byte("ours"), nil },
			Take:  func([]byte) error { return nil }, Undo: func() {}, Done: func(error) {},
		})
	})
	ours := p.request(sip.INVITE)
	p.write(n, "INVITE", 11, tag, "theirs")
	p.response(491)
	p.answer(ours, 200, "", p.contact())
	p.request(sip.ACK)
}

func TestInviteWithoutContactIsRefused(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	p.to = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n.ua.LocalPort()}
	p.send(fmt.Sprintf("INVITE sip:me@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKx;rport\r\n"+
		"From: <sip:peer@example.com>;tag=far\r\nTo: <sip:me@example.com>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", p.port()))
	p.response(400)
}
