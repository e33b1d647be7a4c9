package pbx

import (
	"crypto/rand"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/proto/sipnet"
	"ringmaster/proto/siptx"
)

// relay is one request on its way through the PBX: the response context of
// RFC 3261 §16.
type relay struct {
	p      *PBX
	tx     *siptx.ServerTx
	routes []sip.Uri  // of the copies
	proof  sip.Header // credentials that were for us

	branches  []*branch
	over      bool        // a final response went back; of an INVITE more 2xx may follow
	cancelled bool        // by the caller
	patience  *loop.Timer // of a request that is no INVITE
}

// target is one place to try.
type target struct {
	uri  sip.Uri
	hops []sipnet.Target // ways to it, best first
}

func newRelay(p *PBX, tx *siptx.ServerTx) *relay {
	r := &relay{p: p, tx: tx}
	if tx.Request().Method == sip.INVITE {
		tx.OnCancel(r.cancel)
	}
	return r
}

// fork sends the request to all targets at once.
func (r *relay) fork(targets []target) {
	if r.tx.Request().Method == sip.INVITE {
		_ = r.tx.Respond(siptx.NewResponse(r.tx.Request(), 100, "", "")) // made here, so well-formed
	} else {
		// The sender gives up after 64*T1; a little before that it is told.
		r.patience = r.p.loop.After(62*r.p.layer.Timers().T1, func() { r.finish(r.own(480, "The phone does not answer")) })
	}
	for _, t := range targets {
		r.branches = append(r.branches, &branch{relay: r, target: t})
	}
	for _, b := range r.branches {
		b.try()
	}
}

// cancel is the caller's CANCEL, which has been answered (§16.10).
func (r *relay) cancel(cancel *sip.Request) {
	r.cancelled = true
	if len(r.branches) == 0 {
		r.finish(r.own(487, ""))
		return
	}
	var reasons []sip.Header // RFC 3326: a proxy hands them on
	for _, h := range cancel.GetHeaders("Reason") {
		reasons = append(reasons, sip.HeaderClone(h))
	}
	r.cancelOthers(nil, reasons...)
}

// cancelOthers gives up every branch that has no final response yet.
func (r *relay) cancelOthers(but *branch, reasons ...sip.Header) {
	for _, b := range r.branches {
		if b != but {
			b.cancel(reasons...)
		}
	}
}

// heard takes a response, our Via removed, from a branch (§16.7).
func (r *relay) heard(b *branch, res *sip.Response) {
	switch {
	case res.IsProvisional():
		r.back(res)
	case res.IsSuccess():
		r.finish(res)
		r.cancelOthers(b, sip.NewHeader("Reason", `SIP;cause=200;text="Call completed elsewhere"`))
	default:
		if res.StatusCode >= 600 {
			r.cancelOthers(b)
		}
		r.settle()
	}
}

// settle answers with the best response once every branch has ended.
func (r *relay) settle() {
	if r.over {
		return
	}
	var finals []*sip.Response
	for _, b := range r.branches {
		if b.final == nil {
			return
		}
		finals = append(finals, b.final)
	}
	chosen := best(finals)
	if r.cancelled && chosen.StatusCode < 600 && chosen.StatusCode != 487 {
		chosen = r.own(487, "")
	}
	r.finish(chosen)
}

// finish sends a final response; after the first the transaction sends only
// the further 2xx of an INVITE.
func (r *relay) finish(res *sip.Response) {
	r.over = true
	r.patience.Stop()
	r.back(res)
}

func (r *relay) back(res *sip.Response) {
	if err := r.tx.Respond(res); err != nil {
		r.p.cfg.Log.Debug("a response cannot be passed back", "error", err)
		if !res.IsProvisional() {
			r.p.respond(r.tx, 502, "The phone's answer is not fit to be passed on")
		}
	}
}

// own makes a response of the PBX's own.
func (r *relay) own(status int, reason string) *sip.Response {
	return siptx.NewResponse(r.tx.Request(), status, reason, rand.Text())
}
