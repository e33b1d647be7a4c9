package dialog

import (
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

const (
	// seqMargin is added to the newest CSeq that is known of a dead worker: it
	// may have sent requests of which no word has come through.
	seqMargin = 100
	// wordPatience is how long an INVITE that seems unanswered may go without its
	// end after our CANCEL, or without an ACK after our 480: the dead worker
	// may have got, or sent, a 2xx of which no word has come through, and then
	// only BYE ends that dialog.
	wordPatience = time.Second
)

// Bury ends the dialogs that a worker has left which had this phone's address
// before (its port, above all), and tells done when each has ended:
//
//	confirmed            BYE; also when our 2xx was not acknowledged yet, since
//	                     the ACK went to the dead worker
//	our INVITE, unanswered   CANCEL in the INVITE's transaction; to a 2xx that
//	                     crosses it, ACK and BYE. BYE, too, when there is no
//	                     end and the far end's tag is known (RFC 3261 §15
//	                     allows the caller that)
//	theirs, unanswered   480 in its transaction. BYE, too, when no ACK comes:
//	                     the far end has had a 2xx, or will answer 481
//
// The error joins the dialogs that cannot be ended, because what is known of
// them makes no sense.
func (e *Endpoint) Bury(orphans []phone.Dialog, done func()) error {
	var faults []error
	waiting := 1
	ended := func() {
		if waiting--; waiting == 0 {
			done()
		}
	}
	for _, d := range orphans {
		waiting++
		if err := e.bury(d, ended); err != nil {
			ended()
			faults = append(faults, fmt.Errorf("the dialog %.80q of a dead worker cannot be ended: %w", d.SIPCallID, err))
		}
	}
	e.cfg.Loop.Defer(ended)
	return errors.Join(faults...)
}

func (e *Endpoint) bury(d phone.Dialog, ended func()) error {
	s, err := e.restore(d)
	if err != nil {
		return err
	}
	switch {
	case d.Confirmed:
		s.confirmed = true
	case d.Invite == nil:
		return errors.New("it is neither confirmed nor has it an INVITE")
	case d.Inbound:
		err = s.restoreIncoming(d.Invite)
	default:
		err = s.restoreInvite(d.Invite)
	}
	if err != nil {
		return err
	}
	e.add(s)
	s.onEnd = ended
	switch {
	case d.Confirmed:
		s.byeAfterDeath()
	case d.Inbound:
		s.refuseAfterDeath()
	default:
		s.Cancel(nil)
		s.cancelNextTry()
		e.cfg.Loop.After(wordPatience, func() {
			if s.remoteTag != "" {
				s.byeAfterDeath()
			}
		})
	}
	return nil
}

// restore makes the session again, not yet known to the endpoint.
func (e *Endpoint) restore(d phone.Dialog) (*Session, error) {
	s := &Session{
		e: e, callID: d.SIPCallID, localTag: d.LocalTag, localSeq: d.LocalSeq, remoteSeq: d.RemoteSeq, ownsCallID: !d.Inbound,
		kept: kept{invite: d.Invite, told: true},
	}
	s.observer = mourner{s: s}
	var err error
	if s.local.DisplayName, err = sip.ParseAddressValue(d.Local, &s.local.Address, &s.local.Params); err != nil {
		return nil, err
	}
	if s.remote.DisplayName, err = sip.ParseAddressValue(d.Remote, &s.remote.Address, &s.remote.Params); err != nil {
		return nil, err
	}
	s.remoteTag, _ = s.remote.Params.Get("tag")
	if err := sip.ParseUri(d.Target, &s.target); err != nil {
		return nil, err
	}
	s.contacted = true
	for _, r := range d.Routes {
		var uri sip.Uri
		if err := sip.ParseUri(r, &uri); err != nil {
			return nil, err
		}
		s.routes = append(s.routes, uri)
	}
	return s, nil
}

func (s *Session) restoreIncoming(i *phone.Invite) error {
	req, from, err := sipua.TakeUp(i)
	if err != nil {
		return err
	}
	tx, err := s.e.ua.ResumeServer(req, from)
	if err != nil {
		return err
	}
	s.incoming = &answering{tx: tx}
	return nil
}

func (s *Session) restoreInvite(i *phone.Invite) error {
	req, to, err := sipua.TakeUp(i)
	if err != nil {
		return err
	}
	s.hop = &to
	s.invite, err = s.resume(req, to)
	return err
}

// cancelNextTry cancels the INVITE that answers a challenge to the one that is
// known: it may have left without a word having come through. Nothing is known
// of a challenge, and to CANCEL what is not there does no harm: 481.
func (s *Session) cancelNextTry() {
	next, ok := sipua.NextTry(s.invite.Request())
	if !ok || s.remoteTag != "" { // ringing, it was not challenged
		return
	}
	if tx, err := s.resume(next, *s.hop); err == nil {
		tx.Cancel()
	}
}

// resume follows the dead worker's INVITE to its end.
func (s *Session) resume(invite *sip.Request, to sipua.Target) (*sipua.ClientTx, error) {
	return s.e.ua.ResumeInvite(invite, to, sipua.Outgoing{
		OnResponse: func(res *sip.Response, sent *sip.Request) {
			switch {
			case res.StatusCode < 200:
				s.progressed(res)
			case res.StatusCode < 300:
				s.acceptedBy(res, sent)
			case res.StatusCode == 401 || res.StatusCode == 407: // the dead worker's next try may be under way
			default:
				s.end()
			}
		},
		OnFail: func(error) { s.end() },
	})
}

func (s *Session) refuseAfterDeath() {
	tx := s.incoming.tx
	s.incoming = nil
	_ = tx.Respond(sipua.NewResponse(tx.Request(), 480, "Temporarily Unavailable", s.localTag)) // repeated until its ACK
	s.e.cfg.Loop.After(wordPatience, func() {
		if tx.Acknowledged() {
			s.end()
			return
		}
		s.byeAfterDeath()
	})
}

// byeAfterDeath ends a dialog whose newest CSeq nobody knows.
func (s *Session) byeAfterDeath() {
	s.localSeq += seqMargin - 1 // BYE takes the next one
	s.Bye(func(error) {})       // whatever becomes of it, there is no more to do
}

// mourner observes a dialog that is to end.
type mourner struct {
	unobserved
	s *Session
}

// AckSent: the 2xx that crossed our CANCEL has its ACK.
func (m mourner) AckSent() { m.s.byeAfterDeath() }
