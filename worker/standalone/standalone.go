// Package standalone sends and answers the requests of a phone that belong to
// no dialog: MESSAGE (RFC 3428) and OPTIONS.
package standalone

import (
	"mime"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

// Config is what an Endpoint needs.
type Config struct {
	Loop *loop.Loop
	UA   *sipua.UA
	From sip.Uri // the phone's address of record
	// Allow and Supported are what OPTIONS is answered with.
	Allow, Supported string
	// NewToken makes tags and Call-IDs.
	NewToken func() string
	// Received is told of every MESSAGE.
	Received func(phone.Message)
}

// Endpoint is the phone's end of these requests. It belongs to the loop.
type Endpoint struct{ cfg Config }

// New makes an Endpoint.
func New(cfg Config) *Endpoint { return &Endpoint{cfg} }

// Request answers a request that belongs to no dialog.
func (e *Endpoint) Request(tx *sipua.ServerTx, req *sip.Request) {
	var res *sip.Response
	switch req.Method {
	case sip.OPTIONS:
		res = e.response(req, 200, "OK")
		res.AppendHeader(sip.NewHeader("Allow", e.cfg.Allow))
		res.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
		res.AppendHeader(sip.NewHeader("Supported", e.cfg.Supported))
	case sip.MESSAGE:
		e.cfg.Received(e.message(req))
		res = e.response(req, 200, "OK")
	default:
		res = e.response(req, 405, "Method Not Allowed")
		res.AppendHeader(sip.NewHeader("Allow", e.cfg.Allow))
	}
	_ = tx.Respond(res) // if it cannot be sent, the far end asks again
}

func (e *Endpoint) response(req *sip.Request, status int, reason string) *sip.Response {
	return sipua.NewResponse(req, status, reason, e.cfg.NewToken())
}

func (e *Endpoint) message(req *sip.Request) phone.Message {
	m := phone.Message{
		From: req.From().Address.String(), To: req.To().Address.String(),
		Body: string(req.Body()), ContentType: "text/plain", Time: e.now(),
	}
	if t := req.ContentType(); t != nil {
		m.ContentType = t.Value()
	}
	return m
}

func (e *Endpoint) now() time.Time { return e.cfg.Loop.Now() }

// Message sends a MESSAGE to a URI; contentType "" means text/plain. done is
// called once: with nil after a 2xx, else with a *phone.Error that names the
// refusal or says why there was no answer.
func (e *Endpoint) Message(to, contentType, body string, done func(error)) {
	if contentType == "" {
		contentType = "text/plain"
	}
	if _, _, err := mime.ParseMediaType(contentType); err != nil || strings.ContainsAny(contentType, "\r\n") {
		done(phone.Errorf(phone.Invalid, "content_type %.80q is no media type: write text/plain or the like", contentType))
		return
	}
	var dest sip.Uri
	if err := sip.ParseUri(to, &dest); err != nil {
		done(phone.Errorf(phone.Invalid, "dest_uri %.80q is no SIP URI", to))
		return
	}
	unreachable := func(err error) { done(phone.Errorf(phone.Unreachable, "MESSAGE to %s got no answer: %v", to, err)) }
	e.cfg.UA.Resolve(dest, func(targets []sipua.Target, err error) {
		if err != nil {
			unreachable(err)
			return
		}
		e.cfg.UA.Send(sipua.Outgoing{
			Request: e.newMessage(dest, contentType, body), Targets: targets, Authenticate: true,
			OnResponse: func(res *sip.Response, _ *sip.Request) {
				switch {
				case res.StatusCode < 200:
				case res.StatusCode < 300:
					done(nil)
				default:
					refusal := phone.Errorf(phone.Refused, "MESSAGE to %s was refused: %d %s", to, res.StatusCode, res.Reason)
					refusal.Status = res.StatusCode
					done(refusal)
				}
			},
			OnFail: unreachable,
		})
	})
}

func (e *Endpoint) newMessage(dest sip.Uri, contentType, body string) *sip.Request {
	dest.Headers = nil
	to := *dest.Clone()
	to.UriParams = nil
	callID, forwards, typ := sip.CallIDHeader(e.cfg.NewToken()), sip.MaxForwardsHeader(70), sip.ContentTypeHeader(contentType)
	req := sip.NewRequest(sip.MESSAGE, dest)
	req.AppendHeader(&forwards)
	req.AppendHeader(&sip.FromHeader{Address: e.cfg.From, Params: sip.HeaderParams{{K: "tag", V: e.cfg.NewToken()}}})
	req.AppendHeader(&sip.ToHeader{Address: to})
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: sip.MESSAGE})
	req.AppendHeader(&typ)
	req.SetBody([]byte(body))
	return req
}
