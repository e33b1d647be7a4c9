package dialog

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/worker/sipua"
)

// Timers of RFC 3261 §13.3.1.4 and §13.3.1.1.
const (
	t1               = 500 * time.Millisecond
	t2               = 4 * time.Second
	ackWait          = 64 * t1
	provisionalAgain = time.Minute
)

// answering is an INVITE of the far end that is not done: its final response
// is outstanding, or the ACK of that response.
type answering struct {
	tx          *sipua.ServerTx
	provisional *loop.Timer // repeats the last provisional response
	again       *loop.Timer // repeats the 2xx
	giveUp      *loop.Timer
	accepted    bool // the 2xx has been sent
}

func (a *answering) stop() {
	a.provisional.Stop()
	a.again.Stop()
	a.giveUp.Stop()
}

func (e *Endpoint) incoming(tx *sipua.ServerTx, req *sip.Request) {
	tag, _ := req.From().Params.Get("tag")
	s := &Session{e: e, callID: req.CallID().Value(), localTag: e.cfg.NewToken(), remoteTag: tag}
	s.refreshTarget(req)
	if !s.contacted {
		respond(tx, 400, "Missing Contact")
		return
	}
	from, to := req.From(), req.To()
	s.remote = sip.ToHeader{DisplayName: from.DisplayName, Address: from.Address, Params: from.Params.Clone()}
	s.local = sip.FromHeader{DisplayName: to.DisplayName, Address: to.Address, Params: to.Params.Clone()}
	s.local.Params = append(s.local.Params, sip.HeaderKV{K: "tag", V: s.localTag})
	s.remoteSeq = req.CSeq().SeqNo
	for _, h := range req.GetHeaders("record-route") {
		if r, ok := h.(*sip.RecordRouteHeader); ok {
			s.routes = append(s.routes, r.Address)
		}
	}
	s.source = tx.Source().Source
	s.contact = e.contact(tx.Source(), asksForSIPS(req))
	s.incoming = &answering{tx: tx}
	tx.OnCancel(func(*sip.Request) { s.observer.Cancelled() })
	tx.OnFail(func(err error) {
		if s.observer != nil {
			s.lost(err)
		}
	})
	e.add(s)
	s.keepInvite(req, tx.Source()) // before anybody hears of the call
	s.observer = e.cfg.Incoming(s, inviteOf(req))
	if s.observer == nil {
		s.end()
	}
}

// waiting reports whether a final response is still ours to send.
func (s *Session) waiting() bool { return s.incoming != nil && !s.incoming.accepted && !s.ended }

// Progress sends a provisional response, with SDP when body is not empty, and
// repeats it every minute so that no proxy gives up.
func (s *Session) Progress(status int, reason string, body []byte) error {
	if !s.waiting() {
		return nil
	}
	a := s.incoming
	err := a.tx.Respond(s.response(status, reason, body))
	a.provisional.Stop()
	a.provisional = s.e.cfg.Loop.After(provisionalAgain, func() {
		_ = s.Progress(status, reason, body) // best effort: the far end is still waiting
	})
	return err
}

// Accept sends the 200 with our SDP and repeats it until the ACK has come; the
// observer hears Acked or AckMissing.
func (s *Session) Accept(body []byte) error {
	if !s.waiting() {
		return nil
	}
	s.confirmed = true
	s.keepFinal()
	return s.acceptWith(s.response(200, "OK", body))
}

// acceptWith sends the 2xx of an INVITE or re-INVITE.
func (s *Session) acceptWith(res *sip.Response) error {
	a := s.incoming
	a.accepted = true
	a.provisional.Stop()
	interval := t1
	var again func()
	again = func() {
		_ = a.tx.Respond(res) // it is sent again anyway
		interval = min(2*interval, t2)
		a.again = s.e.cfg.Loop.After(interval, again)
	}
	a.again = s.e.cfg.Loop.After(interval, again)
	a.giveUp = s.e.cfg.Loop.After(ackWait, func() {
		a.stop()
		s.incoming = nil
		s.observer.AckMissing()
	})
	return a.tx.Respond(res)
}

// Refuse sends a final response of 300 or more, which ends the session.
func (s *Session) Refuse(status int, reason string, headers ...Header) error {
	if !s.waiting() {
		return nil
	}
	res := sipua.NewResponse(s.incoming.tx.Request(), status, reason, s.localTag)
	for _, h := range headers {
		res.AppendHeader(h.sip())
	}
	err := s.incoming.tx.Respond(res)
	s.end()
	return err
}

// acked takes the ACK of our 2xx.
func (s *Session) acked(req *sip.Request) {
	a := s.incoming
	if a == nil || !a.accepted || req.CSeq().SeqNo != a.tx.Request().CSeq().SeqNo {
		return
	}
	a.stop()
	s.incoming = nil
	s.observer.Acked(req.Body())
	s.settled()
}

// response makes a response that keeps or makes the dialog.
func (s *Session) response(status int, reason string, body []byte) *sip.Response {
	res := sipua.NewResponse(s.incoming.tx.Request(), status, reason, s.localTag)
	s.describe(res)
	setBody(res, sdpType, body)
	return res
}

// describe adds what the far end needs to send us requests.
func (s *Session) describe(res *sip.Response) {
	res.AppendHeader(&sip.ContactHeader{Address: s.contact})
	res.AppendHeader(sip.NewHeader("Allow", Allow))
	res.AppendHeader(sip.NewHeader("Supported", Supported))
}
