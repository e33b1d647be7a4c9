package sipua

import (
	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/proto/siptx"
)

// ServerTx is a request that arrived, and the way to answer it.
type ServerTx struct {
	tx *siptx.ServerTx
	ua *UA
}

// Request is the request as it arrived, received and rport filled in; its body
// only until a final response was given.
func (t *ServerTx) Request() *sip.Request { return t.tx.Request() }

// Respond sends a response, provisional or final. A 2xx to INVITE may be
// given again to retransmit it. After a final response that is no 2xx it does
// nothing. The error, of kind Invalid, says what is wrong with the response;
// then nothing was sent. A response that cannot be delivered is OnFail's.
func (t *ServerTx) Respond(res *sip.Response) error {
	if err := t.tx.Respond(res); err != nil {
		return phone.Errorf(phone.Invalid, "the response cannot be sent: %v", err)
	}
	return nil
}

// OnCancel has fn told of a CANCEL that arrives before a final response. The
// 200 to the CANCEL has been sent; the user then sends 487.
func (t *ServerTx) OnCancel(fn func(cancel *sip.Request)) { t.tx.OnCancel(fn) }

// OnFail has fn told, once, of a response that could not be sent, or of a
// final response other than 2xx to an INVITE that got no ACK (timer H). The
// error is a *phone.Error of kind Unreachable.
func (t *ServerTx) OnFail(fn func(err error)) {
	t.tx.OnFail(func(err error) {
		fn(phone.Errorf(phone.Unreachable, "the response to %s from %s: %v", t.Request().Method, t.Source().Addr, err))
	})
}

// Source is where the responses go, which is where the request came from: it
// is for Contact.
func (t *ServerTx) Source() Target {
	target := t.tx.Hop().(Target)
	if source, err := t.ua.source(target); err == nil {
		target.Source = source
	}
	return target
}

// NewResponse makes a response to req: Via, From, To, Call-ID and CSeq
// copied, and Record-Route where it can make a dialog. toTag is added when
// the request had none. An empty reason becomes the usual phrase.
func NewResponse(req *sip.Request, status int, reason string, toTag string) *sip.Response {
	return siptx.NewResponse(req, status, reason, toTag)
}
