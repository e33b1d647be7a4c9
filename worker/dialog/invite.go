package dialog

import (
	"errors"

	"github.com/emiago/sipgo/sip"

	"ringmaster/worker/sipua"
)

// errAbandoned ends a session that was given up before its INVITE had left.
var errAbandoned = errors.New("given up before the INVITE had left")

// Invite begins a dialog with an INVITE to a URI, carrying headers besides its
// own. Observer.Offer is asked for the SDP as soon as the next hop is known.
func (e *Endpoint) Invite(to URI, headers []Header, o Observer) *Session {
	dest := *to.uri.Clone()
	remote := *dest.Clone()
	remote.UriParams, remote.Headers = nil, nil

	s := &Session{e: e, observer: o, callID: e.cfg.NewToken(), localTag: e.cfg.NewToken(), ownsCallID: true}
	s.local = sip.FromHeader{Address: e.Identity(), Params: sip.HeaderParams{{K: "tag", V: s.localTag}}}
	s.remote = sip.ToHeader{Address: remote}
	e.add(s)

	dest.Headers = nil
	s.inviteTo(dest, headers)
	return s
}

// inviteTo sends the session's INVITE to where dest is.
func (s *Session) inviteTo(dest sip.Uri, headers []Header) {
	s.e.ua.Resolve(dest, func(targets []sipua.Target, err error) {
		if s.ended {
			return
		}
		if err == nil {
			err = s.sendInvite(dest, headers, targets)
		}
		if err != nil {
			s.failed(err)
		}
	})
}

func (s *Session) sendInvite(dest sip.Uri, headers []Header, targets []sipua.Target) error {
	ua := s.e.ua
	s.source, s.target, s.hop = targets[0].Source, dest, &targets[0]
	s.contact = s.e.contact(targets[0], dest.IsEncrypted())
	body, err := s.observer.Offer(s.source)
	if err != nil {
		return err
	}
	req := sip.NewRequest(sip.INVITE, dest)
	s.stamp(req, s.nextSeq())
	for _, h := range headers {
		req.AppendHeader(h.sip())
	}
	setBody(req, sdpType, body)
	s.inviting = true
	s.invite = ua.Send(sipua.Outgoing{
		Request: req, Targets: targets, NextCSeq: s.nextSeq, Authenticate: true,
		OnSent: func(req *sip.Request, t sipua.Target) {
			if !s.confirmed {
				s.keepInvite(req, t)
			}
			if !s.told { // a retry, authenticated or redirected, is the same call
				s.told = true
				s.observer.InviteSent()
			}
		},
		OnResponse: func(res *sip.Response, sent *sip.Request) {
			switch {
			case res.StatusCode < 200:
				s.progressed(res)
			case res.StatusCode < 300:
				s.acceptedBy(res, sent)
			case s.redirected(dest, headers, res):
			default:
				s.inviting = false
				s.end()
				s.observer.Declined(answerOf(res))
			}
		},
		OnFail: s.failed,
		OnCancelSent: func() {
			if s.cancelLeft != nil {
				s.cancelLeft()
			}
		},
	})
	return nil
}

func (s *Session) failed(err error) {
	if s.ended {
		return
	}
	s.inviting = false
	s.end()
	s.observer.Failed(err)
}

func (s *Session) progressed(res *sip.Response) {
	if s.confirmed {
		return // a fork that is behind the one that has answered
	}
	s.refreshTarget(res)
	if to := res.To(); to != nil && to.Params.Has("tag") {
		s.kept.early = res
		s.keep()
	}
	s.observer.Progressed(answerOf(res))
}

// Cancel gives up our INVITE: CANCEL, as soon as RFC 3261 §9.1 allows it; left
// is called when it has left the socket, which may be never. The observer hears
// Declined (487), Failed, or Accepted when a 2xx crossed it.
func (s *Session) Cancel(left func()) {
	s.cancelled, s.cancelLeft = true, left
	switch {
	case s.invite != nil:
		s.invite.Cancel()
	default:
		s.failed(errAbandoned)
	}
}

// accepted takes a 2xx outside its transaction.
func (s *Session) accepted(res *sip.Response) { s.acceptedBy(res, nil) }

// acceptedBy takes a 2xx to the INVITE sent: the first makes the dialog, a
// repetition gets its ACK again, that of another fork ACK and BYE (RFC 3261
// §13.2.2.4).
func (s *Session) acceptedBy(res *sip.Response, sent *sip.Request) {
	tag := ""
	if to := res.To(); to != nil {
		tag, _ = to.Params.Get("tag")
	}
	switch {
	case !s.confirmed && sent != nil:
		s.inviting = false
		s.confirmed = true
		s.establish(res)
		s.keepFinal()
		s.sendAck(res, sent, s.observer.Accepted(answerOf(res)), s.observer.AckSent)
	case !s.confirmed:
	case tag == s.remoteTag:
		s.repeatAck(res)
	default:
		s.dismiss(res, sent)
	}
}

// sendAck sends the ACK of res, with the credentials of the request it answers
// (RFC 3261 §22.1).
func (s *Session) sendAck(res *sip.Response, sent *sip.Request, body []byte, left func()) {
	seq := res.CSeq().SeqNo
	s.resolve(func(targets []sipua.Target, err error) {
		if err != nil {
			s.lost(err)
			return
		}
		ack := s.newRequest(sip.ACK, seq)
		if sent != nil {
			sip.CopyHeaders("Authorization", sent, ack)
			sip.CopyHeaders("Proxy-Authorization", sent, ack)
		}
		setBody(ack, sdpType, body)
		s.ack, s.ackTo = ack, targets[0]
		if err := s.e.ua.SendAck(ack, targets[0]); err != nil {
			s.lost(err)
			return
		}
		if !s.ended {
			left()
		}
	})
}

// resolve finds the next hop. A far end that has named a place which cannot be
// found, or none, is still where our INVITE has reached it: it is to hear the
// ACK and the BYE.
func (s *Session) resolve(done func([]sipua.Target, error)) {
	s.e.ua.Resolve(s.nextHop(), func(targets []sipua.Target, err error) {
		if err != nil && s.hop != nil {
			targets, err = []sipua.Target{*s.hop}, nil
		}
		done(targets, err)
	})
}

// repeatAck answers a 2xx that came again with the very ACK that was lost
// (RFC 3261 §13.2.2.4), its branch included.
func (s *Session) repeatAck(res *sip.Response) {
	if s.ack == nil || s.ack.CSeq().SeqNo != res.CSeq().SeqNo {
		return
	}
	// Should this one be lost too, the 2xx comes again.
	_ = s.e.ua.SendAck(s.ack, s.ackTo)
}

// dismiss ends the dialog that another fork's 2xx has made.
func (s *Session) dismiss(res *sip.Response, sent *sip.Request) {
	fork := *s
	fork.observer, fork.routes, fork.ack = unobserved{}, nil, nil
	fork.kept.silent = true
	fork.establish(res)
	fork.sendAck(res, sent, nil, func() { fork.send(requestParams{method: sip.BYE}) })
}
