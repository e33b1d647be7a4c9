package dialog

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/proto/siptx"
	"ringmaster/worker/sipua"
)

var errOver = errors.New("the call is over") // why a Reoffer was not made, or not taken

// glareTries is how often a re-INVITE is sent when it meets one of the far
// end's each time.
const glareTries = 4

// Reoffer is an offer that we make within the dialog.
type Reoffer struct {
	// Offer makes the SDP; it is asked again for every try.
	Offer func() ([]byte, error)
	// Take puts the answer into effect.
	Take func(answer []byte) error
	// Undo is called when an offer was refused or never answered, before it
	// is made again or Done is told.
	Undo func()
	// Done is called once, with nil when the answer is in effect. The
	// session then stands as it did before a Reoffer that failed, but for
	// 481 and 408, which end it.
	Done func(error)

	tries int
}

// Reoffer sends a re-INVITE (RFC 3261 §14.1). While another exchange is under
// way, either way, it waits for its turn.
func (s *Session) Reoffer(r Reoffer) {
	switch {
	case s.ended:
		r.Done(errOver)
	case s.inviting || s.incoming != nil:
		s.reoffers = append(s.reoffers, r)
	default:
		s.reinvite(r)
	}
}

// settled lets the next Reoffer go, if one waits.
func (s *Session) settled() {
	if len(s.reoffers) == 0 || s.inviting || s.incoming != nil || s.ended {
		return
	}
	next := s.reoffers[0]
	s.reoffers = s.reoffers[1:]
	s.reinvite(next)
}

func (s *Session) reinvite(r Reoffer) {
	body, err := r.Offer()
	if err != nil {
		r.Done(err)
		s.settled()
		return
	}
	undo := func() {
		s.inviting = false
		r.Undo()
	}
	fail := func(err error) {
		undo()
		r.Done(err)
		s.settled()
	}
	s.inviting = true
	r.tries++
	accepted := false
	s.send(requestParams{
		method: sip.INVITE, contentType: sdpType, body: body,
		response: func(res *sip.Response, sent *sip.Request) {
			switch {
			case res.StatusCode < 200:
			case res.StatusCode < 300 && accepted:
				s.repeatAck(res)
			case res.StatusCode < 300:
				accepted = true
				s.inviting = false
				s.refreshTarget(res)
				s.keep()
				s.sendAck(res, sent, nil, func() {})
				if s.ended { // it ended while the answer was on its way
					r.Done(errOver)
					return
				}
				r.Done(r.Take(res.Body()))
				s.settled()
			case res.StatusCode == 491 && r.tries < glareTries:
				undo()
				s.e.cfg.Loop.After(s.glareWait(), func() { s.Reoffer(r) })
			case res.StatusCode == 500 && retryAfter(res) > 0 && r.tries < glareTries:
				undo()
				s.e.cfg.Loop.After(retryAfter(res), func() { s.Reoffer(r) }) // RFC 3261 §14.2
			default:
				e := phone.Errorf(phone.Refused, "the far end refused the re-INVITE: %d %s", res.StatusCode, res.Reason)
				e.Status = res.StatusCode
				fail(e)
			}
		},
		failed: fail,
	})
}

// retryAfter is how long a response asks to wait; 0 when it does not, or asks
// for longer than a call waits.
func retryAfter(res *sip.Response) time.Duration {
	h := res.GetHeader("Retry-After")
	if h == nil {
		return 0
	}
	seconds, err := strconv.Atoi(strings.TrimSpace(h.Value()))
	if err != nil || seconds < 0 || seconds > 10 {
		return 0
	}
	return max(time.Duration(seconds)*time.Second, 100*time.Millisecond)
}

// glareWait is how long to wait after 491: 2.1 to 4 s for the owner of the
// Call-ID, up to 2 s for the other, in steps of 10 ms (RFC 3261 §14.1).
func (s *Session) glareWait() time.Duration {
	if s.ownsCallID {
		return time.Duration(210+s.e.cfg.Random(191)) * 10 * time.Millisecond
	}
	return time.Duration(s.e.cfg.Random(201)) * 10 * time.Millisecond
}

// reoffered takes a re-INVITE or an UPDATE (RFC 3261 §14.2, RFC 3311 §5.2).
func (s *Session) reoffered(tx *sipua.ServerTx, req *sip.Request) {
	switch {
	case s.inviting:
		respond(tx, 491, "Request Pending")
		return
	case s.incoming != nil:
		respond(tx, 500, "Server Internal Error", sip.NewHeader("Retry-After", strconv.Itoa(s.e.cfg.Random(10))))
		return
	}
	var answer []byte
	if req.Method == sip.INVITE || len(req.Body()) > 0 {
		var err error
		if answer, err = s.observer.Reoffered(req.Body()); err != nil {
			status := 488
			var e *phone.Error
			if errors.As(err, &e) && e.Status != 0 {
				status = e.Status
			}
			respond(tx, status, siptx.ReasonPhrase(status))
			return
		}
	}
	s.refreshTarget(req)
	if req.Method == sip.UPDATE {
		res := sipua.NewResponse(req, 200, "OK", s.localTag)
		s.describe(res)
		setBody(res, sdpType, answer)
		_ = tx.Respond(res) // the far end asks again
		return
	}
	s.incoming = &answering{tx: tx}
	_ = s.acceptWith(s.response(200, "OK", answer)) // repeated until the ACK
}
