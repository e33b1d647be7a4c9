package dialog

import (
	"strconv"

	"github.com/emiago/sipgo/sip"

	"ringmaster/worker/sipua"
)

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
			respond(tx, 488, "Not Acceptable Here")
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
