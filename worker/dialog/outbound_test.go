package dialog

import (
	"errors"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// established makes a confirmed call from n to p and returns its INVITE.
func established(t *testing.T, n *end, p *peer, extra ...string) (*Session, *sip.Request) {
	t.Helper()
	s := n.invite(p)
	invite := p.request(sip.INVITE)
	p.answer(invite, 200, "far", append(extra, p.contact())...)
	p.request(sip.ACK)
	for _, want := range []string{"sent", "accepted 200", "ack sent"} {
		n.hears(want)
	}
	return s, invite
}

func TestCallOutAndHangUp(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s := n.invite(p)
	invite := p.request(sip.INVITE)
	if got := string(invite.Body()); got != "offer" {
		t.Errorf("the INVITE's body is %q", got)
	}
	if from := invite.From(); from.Address.String() != "sip:me@example.com" {
		t.Errorf("From is %s", from.Address.String())
	}
	p.answer(invite, 180, "far", p.contact())
	p.answer(invite, 200, "far", p.contact())
	ack := p.request(sip.ACK)
	if ack.CSeq().SeqNo != invite.CSeq().SeqNo || ack.Via().Value() == invite.Via().Value() {
		t.Errorf("ACK has CSeq %d and Via %s; the INVITE has %d and %s",
			ack.CSeq().SeqNo, ack.Via().Value(), invite.CSeq().SeqNo, invite.Via().Value())
	}
	for _, want := range []string{"sent", "progressed 180", "accepted 200", "ack sent"} {
		n.hears(want)
	}
	left := make(chan error, 1)
	n.on(func() { s.Bye(func(err error) { left <- err }) })
	bye := p.request(sip.BYE)
	if tag, _ := bye.To().Params.Get("tag"); tag != "far" || bye.CSeq().SeqNo != invite.CSeq().SeqNo+1 || bye.Recipient.User != "peer" {
		t.Errorf("BYE is wrong:\n%s", bye)
	}
	p.answer(bye, 200, "")
	if err := <-left; err != nil {
		t.Error(err)
	}
}

func TestRepeatedAnswerGetsItsAckAgain(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	_, invite := established(t, n, p)
	var acks [2]string
	for i := range acks {
		p.answer(invite, 200, "far", p.contact())
		acks[i] = p.request(sip.ACK).String()
	}
	if acks[0] != acks[1] {
		t.Errorf("the ACK was\n%sthen\n%s", acks[0], acks[1])
	}
}

func TestSecondForkIsAcknowledgedAndEnded(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	_, invite := established(t, n, p)
	p.answer(invite, 200, "other", p.contact())
	for _, method := range []sip.RequestMethod{sip.ACK, sip.BYE} {
		req := p.request(method)
		if tag, _ := req.To().Params.Get("tag"); tag != "other" {
			t.Errorf("%s went to tag %q, want the other fork's", method, tag)
		}
		if method == sip.BYE {
			p.answer(req, 200, "")
		}
	}
}

func TestCancelBeforeTheAnswer(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s := n.invite(p)
	invite := p.request(sip.INVITE)
	p.answer(invite, 180, "far", p.contact())
	n.hears("sent")
	n.hears("progressed 180")
	n.on(func() { s.Cancel(nil) })
	cancel := p.request(sip.CANCEL)
	if cancel.Via().Value() != invite.Via().Value() || cancel.CSeq().SeqNo != invite.CSeq().SeqNo {
		t.Errorf("CANCEL does not match its INVITE:\n%s", cancel)
	}
	p.answer(cancel, 200, "far")
	p.answer(invite, 487, "far")
	p.request(sip.ACK)
	n.hears("declined 487")
}

func TestAnswerThatCrossesTheCancel(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s := n.invite(p)
	invite := p.request(sip.INVITE)
	p.answer(invite, 180, "far", p.contact())
	n.hears("sent")
	n.hears("progressed 180")
	n.on(func() { s.Cancel(nil) })
	cancel := p.request(sip.CANCEL)
	p.answer(invite, 200, "far", p.contact())
	p.answer(cancel, 481, "far")
	n.hears("accepted 200")
	p.request(sip.ACK)
	n.hears("ack sent")
}

func TestRouteSetIsReversedAndFollowed(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	near := p.contact()[len("Contact: "):]
	s, _ := established(t, n, p,
		"Record-Route: <sip:far.example.com;lr>",
		"Record-Route: <sip:127.0.0.1:"+near[len("<sip:peer@127.0.0.1:"):len(near)-1]+";lr>")
	n.on(func() { s.Bye(func(error) {}) })
	bye := p.request(sip.BYE)
	routes := bye.GetHeaders("Route")
	if len(routes) != 2 || routes[1].Value() != "<sip:far.example.com;lr>" || bye.Recipient.User != "peer" {
		t.Errorf("BYE is routed wrongly:\n%s", bye)
	}
	p.answer(bye, 200, "")
}

func TestStrictRouterTakesTheRequestURI(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	contact := p.contact()[len("Contact: "):]
	strict := "<sip:strict@127.0.0.1:" + contact[len("<sip:peer@127.0.0.1:"):]
	s, _ := established(t, n, p, "Record-Route: "+strict)
	n.on(func() { s.Bye(func(error) {}) })
	bye := p.request(sip.BYE)
	routes := bye.GetHeaders("Route")
	if bye.Recipient.User != "strict" || len(routes) != 1 || routes[0].Value() != contact {
		t.Errorf("a strict router gets\n%s", bye)
	}
	p.answer(bye, 200, "")
}

func TestFarEndThatForgotTheCall(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s, _ := established(t, n, p)
	n.on(func() { s.Info("text/plain", []byte("x"), func(Answer, error) {}) })
	p.answer(p.request(sip.INFO), 481, "")
	n.hears("lost 481")
}

func TestReofferWaitsAfterGlare(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s, _ := established(t, n, p)
	done := make(chan error, 1)
	n.on(func() {
		s.Reoffer(Reoffer{
			Offer: func() ([]byte, error) { return []byte("hold"), nil },
			Take:  func([]byte) error { return nil },
			Undo:  func() { n.heard <- "undone" },
			Done:  func(err error) { done <- err },
		})
	})
	first := p.request(sip.INVITE)
	p.answer(first, 491, "far")
	p.request(sip.ACK)
	n.hears("undone")
	again := p.request(sip.INVITE)
	if again.CSeq().SeqNo != first.CSeq().SeqNo+1 || string(again.Body()) != "hold" {
		t.Errorf("the second try is\n%s", again)
	}
	p.answer(again, 200, "far", p.contact())
	p.request(sip.ACK)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRedirectIsFollowedOnceToEachPlace(t *testing.T) {
	n, p, other := newEnd(t), newPeer(t), newPeer(t)
	n.invite(p)
	first := p.request(sip.INVITE)
	p.answer(first, 302, "far", p.contact()+";q=0.9", other.contact()+";q=0.5", "Contact: <tel:123>")
	p.request(sip.ACK)
	second := other.request(sip.INVITE) // p itself has been tried
	if second.CallID().Value() != first.CallID().Value() || second.CSeq().SeqNo <= first.CSeq().SeqNo {
		t.Errorf("the redirected INVITE is\n%s", second)
	}
	if tag, has := second.To().Params.Get("tag"); has {
		t.Errorf("it has the To tag %q of who redirected it", tag)
	}
	other.answer(second, 302, "far", p.contact()) // a loop
	n.hears("sent")
	n.hears("declined 302")
}

func TestRedirectedCallIsAnswered(t *testing.T) {
	n, p, other := newEnd(t), newPeer(t), newPeer(t)
	s := n.invite(p)
	p.answer(p.request(sip.INVITE), 301, "far", other.contact())
	p.request(sip.ACK)
	other.answer(other.request(sip.INVITE), 200, "new", other.contact())
	other.request(sip.ACK)
	for _, want := range []string{"sent", "accepted 200", "ack sent"} {
		n.hears(want)
	}
	n.on(func() { s.Bye(func(error) {}) })
	other.answer(other.request(sip.BYE), 200, "")
}

func TestAnswerToAReofferAfterTheEnd(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s, tag := answered(t, n, p)
	done := make(chan error, 1)
	n.on(func() {
		s.Reoffer(Reoffer{
			Offer: func() ([]byte, error) { return []byte("hold"), nil },
			Take:  func([]byte) error { n.heard <- "taken"; return nil },
			Undo:  func() {},
			Done:  func(err error) { done <- err },
		})
	})
	invite := p.request(sip.INVITE)
	p.write(n, "BYE", 11, tag, "")
	p.response(200)
	n.hears("byed")
	p.answer(invite, 200, "", p.contact())
	p.request(sip.ACK) // it is owed all the same
	if err := <-done; !errors.Is(err, errOver) {
		t.Errorf("the reoffer ended with %v", err)
	}
	if len(n.heard) > 0 {
		t.Errorf("the observer heard %q after the end", <-n.heard)
	}
}

func TestAnswerWithoutContactIsAcknowledgedAndCanBeEnded(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s := n.invite(p)
	p.answer(p.request(sip.INVITE), 200, "far")
	if ack := p.request(sip.ACK); ack.Recipient.User != "peer" {
		t.Errorf("the ACK goes to %s", ack.Recipient.String())
	}
	n.on(func() { s.Bye(func(error) {}) })
	p.answer(p.request(sip.BYE), 200, "")
}

func TestDialogsAreOverWhenTheByeIsAnswered(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	over := make(chan string, 2)
	n.on(func() { n.e.WhenOver(func() { over <- "none" }) })
	if got := <-over; got != "none" {
		t.Error(got)
	}
	s, _ := established(t, n, p)
	n.on(func() {
		s.Bye(func(error) {})
		n.e.WhenOver(func() { over <- "ended" })
	})
	bye := p.request(sip.BYE)
	n.on(func() {
		if len(over) > 0 {
			t.Error("the dialogs are said to be over before the BYE is answered")
		}
	})
	p.answer(bye, 200, "")
	<-over
}
