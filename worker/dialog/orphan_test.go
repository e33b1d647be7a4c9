package dialog

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

// successor lets an end die and makes another of the same port, which ends the
// dialogs of the first. ended is closed when they have ended.
func successor(t *testing.T, n *end) (heir *end, ended chan struct{}) {
	t.Helper()
	port := n.ua.LocalPort()
	n.die()
	var orphans []phone.Dialog
	for _, d := range n.kept {
		orphans = append(orphans, d)
	}
	if len(orphans) != 1 {
		t.Fatalf("%d dialogs are known of the dead: %+v", len(orphans), orphans)
	}
	heir = newEndAt(t, port)
	ended = make(chan struct{})
	heir.on(func() {
		for _, d := range orphans { // as the fleet does
			heir.kept[d.SIPCallID] = d
		}
		if err := heir.e.Bury(orphans, func() { close(ended) }); err != nil {
			t.Error(err)
		}
	})
	return heir, ended
}

// nothingLeft waits for the end of the dead one's dialogs and requires that
// the successor has none any more.
func (n *end) nothingLeft(ended chan struct{}) {
	n.t.Helper()
	select {
	case <-ended:
	case <-time.After(patience):
		n.t.Fatal("the dialogs of the dead have not ended")
	}
	n.on(func() {
		if len(n.e.sessions) > 0 || len(n.kept) > 0 {
			n.t.Errorf("left are %d sessions and %v", len(n.e.sessions), n.kept)
		}
	})
}

func tags(req *sip.Request) string {
	from, _ := req.From().Params.Get("tag")
	to, _ := req.To().Params.Get("tag")
	return from + " " + to
}

func TestConfirmedDialogsOfTheDeadGetBye(t *testing.T) {
	for _, inbound := range []bool{false, true} {
		t.Run(fmt.Sprintf("inbound %v", inbound), func(t *testing.T) {
			n, p := newEnd(t), newPeer(t)
			routes := fmt.Sprintf("Record-Route: <sip:127.0.0.1:%d;lr>, <sip:far.example;lr>", p.port())
			var last uint32
			var want string
			if inbound {
				s := ring(t, n, p, routes)
				n.on(func() { _ = s.Accept([]byte("answer")) })
				tag, _ := p.response(200).To().Params.Get("tag")
				p.write(n, "ACK", 10, tag, "")
				n.hears("acked ")
				want = tag + " far"
			} else {
				routes = fmt.Sprintf("Record-Route: <sip:far.example;lr>, <sip:127.0.0.1:%d;lr>", p.port())
				s, invite := established(t, n, p, routes)
				n.on(func() { s.Info("application/dtmf-relay", []byte("Signal=1"), func(Answer, error) {}) })
				info := p.request(sip.INFO)
				p.answer(info, 200, "")
				last = info.CSeq().SeqNo
				from, _ := invite.From().Params.Get("tag")
				want = from + " far"
			}
			heir, ended := successor(t, n)
			bye := p.request(sip.BYE)
			if got := bye.CSeq().SeqNo; got != last+100 {
				t.Errorf("BYE has CSeq %d, want %d", got, last+100)
			}
			if got := tags(bye); got != want {
				t.Errorf("BYE has the tags %q, want %q", got, want)
			}
			if bye.Recipient.User != "peer" || bye.Recipient.Port != p.port() {
				t.Errorf("BYE is for %s", bye.Recipient.String())
			}
			var route []string
			for _, h := range bye.GetHeaders("Route") {
				route = append(route, h.Value())
			}
			if wantRoute := []string{fmt.Sprintf("<sip:127.0.0.1:%d;lr>", p.port()), "<sip:far.example;lr>"}; !slices.Equal(route, wantRoute) {
				t.Errorf("BYE has the route %v, want %v", route, wantRoute)
			}
			p.answer(bye, 200, "")
			heir.nothingLeft(ended)
		})
	}
}

func TestOurInviteIsCancelledAfterDeath(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	n.invite(p)
	invite := p.request(sip.INVITE)
	p.answer(invite, 180, "far", p.contact())
	n.hears("sent")
	n.hears("progressed 180")
	heir, ended := successor(t, n)
	cancel := p.request(sip.CANCEL)
	if cancel.Via().Value() != invite.Via().Value() || cancel.Recipient.String() != invite.Recipient.String() ||
		cancel.CSeq().SeqNo != invite.CSeq().SeqNo || tags(cancel) != tags(invite) || cancel.CallID().Value() != invite.CallID().Value() {
		t.Errorf("the INVITE was\n%s\nand the CANCEL is\n%s", invite, cancel)
	}
	p.answer(cancel, 200, "far")
	p.answer(invite, 487, "far")
	if ack := p.request(sip.ACK); ack.Via().Value() != invite.Via().Value() {
		t.Errorf("the ACK of 487 has Via %s", ack.Via().Value())
	}
	heir.nothingLeft(ended)
}

func TestAnswerThatCrossesTheCancelAfterDeath(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	n.invite(p)
	invite := p.request(sip.INVITE)
	n.hears("sent")
	heir, ended := successor(t, n)
	p.answer(p.request(sip.CANCEL), 481, "other")
	p.answer(invite, 200, "far", p.contact())
	ack := p.request(sip.ACK)
	bye := p.request(sip.BYE)
	for _, req := range []*sip.Request{ack, bye} {
		if tag, _ := req.To().Params.Get("tag"); tag != "far" || req.Recipient.User != "peer" {
			t.Errorf("%s is wrong:\n%s", req.Method, req)
		}
	}
	p.answer(bye, 200, "")
	heir.nothingLeft(ended)
}

// The dead one had acknowledged a 2xx of which nobody knows: neither CANCEL
// nor a final response brings that to light.
func TestEarlyDialogOfTheDeadThatWasConfirmedGetsBye(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	n.invite(p)
	invite := p.request(sip.INVITE)
	p.answer(invite, 180, "far", p.contact())
	n.hears("sent")
	n.hears("progressed 180")
	heir, ended := successor(t, n)
	p.answer(p.request(sip.CANCEL), 481, "far")
	bye := p.request(sip.BYE)
	if tag, _ := bye.To().Params.Get("tag"); tag != "far" || bye.CSeq().SeqNo != invite.CSeq().SeqNo+100 {
		t.Errorf("BYE is wrong:\n%s", bye)
	}
	p.answer(bye, 200, "")
	heir.nothingLeft(ended)
}

func TestTheirInviteIsRefusedAfterDeath(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s := ring(t, n, p)
	n.on(func() { _ = s.Progress(180, "Ringing", nil) })
	tag, _ := p.response(180).To().Params.Get("tag")
	heir, ended := successor(t, n)
	refusal := p.response(480)
	if got, _ := refusal.To().Params.Get("tag"); got != tag {
		t.Errorf("480 has the tag %q, 180 had %q", got, tag)
	}
	p.response(480) // it is repeated until the ACK
	p.send(fmt.Sprintf("ACK sip:me@127.0.0.1:%d SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKINVITE10;rport\r\n"+
		"From: <sip:peer@example.com>;tag=far\r\nTo: <sip:me@example.com>;tag=%s\r\nCall-ID: theirs\r\nCSeq: 10 ACK\r\nContent-Length: 0\r\n\r\n",
		heir.ua.LocalPort(), p.port(), tag))
	heir.nothingLeft(ended)
}

func TestADialogThatEndsIsNotKept(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	s, _ := established(t, n, p)
	n.on(func() {
		if d := n.kept[s.CallID()]; !d.Confirmed || d.Invite != nil || d.Over {
			t.Errorf("kept is %+v", d)
		}
		s.Bye(func(error) {})
	})
	bye := p.request(sip.BYE)
	n.on(func() {
		if d, there := n.kept[s.CallID()]; !there || d.LocalSeq != bye.CSeq().SeqNo {
			t.Errorf("before the BYE is answered, kept is %v %+v", there, d)
		}
	})
	p.answer(bye, 200, "")
	deadline := time.Now().Add(patience)
	for left := 1; left > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the dialog is still kept after its BYE was answered")
		}
		n.on(func() { left = len(n.kept) })
	}
}

func TestOrphansThatMakeNoSense(t *testing.T) {
	n, p := newEnd(t), newPeer(t)
	good := phone.Dialog{
		SIPCallID: "good", LocalTag: "me", Confirmed: true,
		Local: "<sip:me@example.com>;tag=me", Remote: "<sip:peer@example.com>;tag=far", Target: fmt.Sprintf("sip:peer@127.0.0.1:%d", p.port()),
	}
	bad := func(id string, spoil func(*phone.Dialog)) phone.Dialog {
		d := good
		d.SIPCallID = id
		spoil(&d)
		return d
	}
	orphans := []phone.Dialog{
		bad("no target", func(d *phone.Dialog) { d.Target = "" }),
		bad("no from", func(d *phone.Dialog) { d.Local = "" }),
		bad("no invite", func(d *phone.Dialog) { d.Confirmed = false }),
		bad("half an invite", func(d *phone.Dialog) {
			d.Confirmed, d.Invite = false, &phone.Invite{Head: []byte("INVITE sip:x@h SIP/2.0\r\n\r\n"), Transport: phone.UDP, Peer: "127.0.0.1:5060"}
		}),
		good,
	}
	ended := make(chan struct{})
	n.on(func() {
		err := n.e.Bury(orphans, func() { close(ended) })
		for _, d := range orphans {
			if said := strings.Contains(fmt.Sprint(err), fmt.Sprintf("%q", d.SIPCallID)); said != (d.SIPCallID != "good") {
				t.Errorf("of %q the error says: %v", d.SIPCallID, err)
			}
		}
	})
	bye := p.request(sip.BYE)
	if bye.CallID().Value() != "good" {
		t.Errorf("BYE is for %s", bye.CallID().Value())
	}
	p.answer(bye, 200, "")
	n.nothingLeft(ended)
}
