package dialog

import (
	"net/netip"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

// request takes a request of the far end within the dialog.
func (s *Session) request(tx *sipua.ServerTx, req *sip.Request) {
	seq := req.CSeq().SeqNo
	if s.remoteSeq != 0 && seq <= s.remoteSeq {
		respond(tx, 500, "CSeq Out Of Order") // RFC 3261 §12.2.2
		return
	}
	s.remoteSeq = seq
	defer s.keep()
	switch req.Method {
	case sip.BYE:
		respond(tx, 200, "OK")
		s.byed()
	case sip.INVITE, sip.UPDATE:
		if s.ended {
			respond(tx, 481, "Call/Transaction Does Not Exist")
			return
		}
		s.reoffered(tx, req)
	case sip.INFO:
		contentType := ""
		if h := req.ContentType(); h != nil {
			contentType = h.Value()
		}
		if s.ended || s.observer.Informed(contentType, req.Body()) {
			respond(tx, 200, "OK")
			return
		}
		respond(tx, 415, "Unsupported Media Type")
	case sip.REFER:
		s.referred(tx, req)
	case sip.NOTIFY:
		s.notified(tx, req)
	case sip.OPTIONS:
		respond(tx, 200, "OK", sip.NewHeader("Allow", Allow))
	default:
		respond(tx, 405, "Method Not Allowed", sip.NewHeader("Allow", Allow))
	}
}

// Info sends an INFO; done hears its final answer, or why there was none.
func (s *Session) Info(contentType string, body []byte, done func(Answer, error)) {
	s.send(requestParams{
		method: sip.INFO, contentType: contentType, body: body,
		final:  func(res *sip.Response) { done(answerOf(res), nil) },
		failed: func(err error) { done(Answer{}, err) },
	})
}

// requestParams is a request within the dialog and who hears of it. sent is
// called when it has left, response for every response, final for the final
// one, failed instead of it; each may be nil.
type requestParams struct {
	method      sip.RequestMethod
	headers     []sip.Header
	contentType string
	body        []byte

	sent     func()
	response func(res *sip.Response, sent *sip.Request)
	final    func(res *sip.Response)
	failed   func(err error)
}

func (s *Session) send(p requestParams) {
	ua := s.e.ua
	fail := func(err error) {
		if p.method != sip.BYE {
			s.lost(err)
		}
		if p.failed != nil {
			p.failed(err)
		}
	}
	s.resolve(func(targets []sipua.Target, err error) {
		if err != nil {
			fail(err)
			return
		}
		req := s.newRequest(p.method, s.nextSeq())
		for _, h := range p.headers {
			req.AppendHeader(h)
		}
		setBody(req, p.contentType, p.body)
		ua.Send(sipua.Outgoing{
			Request: req, Targets: targets, NextCSeq: s.nextSeq, Authenticate: true,
			OnSent: func(*sip.Request, sipua.Target) {
				s.keep()
				if p.sent != nil {
					p.sent()
				}
			},
			OnResponse: func(res *sip.Response, sent *sip.Request) {
				if p.response != nil {
					p.response(res, sent)
				}
				if res.StatusCode < 200 {
					return
				}
				if p.final != nil {
					p.final(res)
				}
				if p.method != sip.BYE && (res.StatusCode == 481 || res.StatusCode == 408) {
					gone := phone.Errorf(phone.Refused, "the far end no longer knows the call: %d %s", res.StatusCode, res.Reason)
					gone.Status = res.StatusCode
					s.lost(gone)
				}
			},
			OnFail: fail,
		})
	})
}

// lost ends a dialog that the far end does not keep any more (RFC 3261
// §12.2.1.2).
func (s *Session) lost(err error) {
	if s.ended {
		return
	}
	s.end()
	s.observer.Lost(err)
}

// unobserved is the observer of a dialog that only waits to be ended.
type unobserved struct{}

func (unobserved) Offer(netip.Addr) ([]byte, error) { return nil, nil }
func (unobserved) InviteSent()                      {}
func (unobserved) Progressed(Answer)                {}
func (unobserved) Accepted(Answer) []byte           { return nil }
func (unobserved) AckSent()                         {}
func (unobserved) Declined(Answer)                  {}
func (unobserved) Failed(error)                     {}
func (unobserved) Acked([]byte)                     {}
func (unobserved) AckMissing()                      {}
func (unobserved) Cancelled()                       {}
func (unobserved) Byed()                            {}
func (unobserved) Reoffered([]byte) ([]byte, error) { return nil, nil }
func (unobserved) Informed(string, []byte) bool     { return false }
func (unobserved) Referred(Referral) (int, string)  { return 603, "Decline" }
func (unobserved) Notified(int, string, bool)       {}
func (unobserved) Lost(error)                       {}
