package pbx

import (
	"crypto/rand"
	"errors"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/digest"
	"ringmaster/proto/siptx"
)

// challenger is how a server of one kind asks for credentials (RFC 3261
// §22.2, §22.3).
type challenger struct {
	status             int
	answer, challenges string // header names
}

var (
	asRegistrar = challenger{401, "Authorization", "WWW-Authenticate"}
	asProxy     = challenger{407, "Proxy-Authorization", "Proxy-Authenticate"}
)

// authenticate gives the user whose password a request proves, and the header
// that proved it. Without proof it challenges, also after a wrong password
// and for a name that nobody has, so that nobody learns which it was.
func (p *PBX) authenticate(tx *siptx.ServerTx, req *sip.Request, as challenger) (user string, proof sip.Header) {
	stale := false
	for _, h := range req.GetHeaders(as.answer) {
		name, err := p.digest.Check(h.Value(), string(req.Method), req.Body(), p.cfg.Users)
		if err == nil {
			return name, h
		}
		stale = stale || errors.Is(err, digest.ErrStale)
		p.cfg.Log.Debug("credentials refused", "method", req.Method, "from", req.Source(), "error", err)
	}
	p.respond(tx, as.status, "", sip.NewHeader(as.challenges, p.digest.Challenge(stale)))
	return "", nil
}

// respond answers with a response of the PBX's own. What cannot be delivered
// is lost: the request will be repeated.
func (p *PBX) respond(tx *siptx.ServerTx, status int, reason string, headers ...sip.Header) {
	res := siptx.NewResponse(tx.Request(), status, reason, rand.Text())
	for _, h := range headers {
		res.AppendHeader(h)
	}
	if err := tx.Respond(res); err != nil {
		p.cfg.Log.Warn("a response cannot be made", "status", status, "error", err)
	}
}

func (p *PBX) refuse(tx *siptx.ServerTx, why *refusal) {
	p.respond(tx, why.status, why.reason, why.headers...)
}
