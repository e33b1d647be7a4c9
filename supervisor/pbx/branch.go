package pbx

import (
	"errors"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/proto/sipnet"
	"ringmaster/proto/siptx"
)

// branch is one copy of a request, through every way to its target.
type branch struct {
	relay  *relay
	target target
	tx     *siptx.ClientTx
	final  *sip.Response // the last word

	ringing   *loop.Timer // timer C
	expired   bool        // it fired
	cancelled bool
}

// try sends the copy by the next way.
func (b *branch) try() {
	if len(b.target.hops) == 0 {
		b.end(b.relay.own(480, "The phone cannot be reached"))
		return
	}
	r, p := b.relay, b.relay.p
	hop := b.target.hops[0]
	b.target.hops = b.target.hops[1:]
	req := p.onward(r.tx.Request(), outgoing{
		uri: b.target.uri, routes: r.routes, from: r.tx.Hop().(sipnet.Target), hop: hop, proof: r.proof,
	})
	tx, err := p.layer.Request(req, hop, siptx.ClientEvents{Response: b.response, Fail: b.fail})
	if err != nil {
		p.cfg.Log.Debug("a request cannot be passed on", "method", req.Method, "error", err)
		b.end(r.own(400, "The request is not fit to be passed on"))
		return
	}
	b.tx = tx
	b.restartTimerC()
}

// restartTimerC gives the phone that rings its full time again (§16.7 step 2).
func (b *branch) restartTimerC() {
	if b.relay.tx.Request().Method != sip.INVITE || b.cancelled {
		return
	}
	b.ringing.Stop()
	b.ringing = b.relay.p.loop.After(b.relay.p.cfg.TimerC, func() {
		b.expired = true
		b.cancel()
	})
}

// cancel gives up the branch; its last word is still to come.
func (b *branch) cancel(headers ...sip.Header) {
	if b.final != nil || b.cancelled {
		return
	}
	b.cancelled = true
	b.ringing.Stop()
	b.tx.Cancel(headers...)
}

func (b *branch) response(res *sip.Response) {
	if res.StatusCode == 100 {
		return // hop by hop
	}
	res = withoutTopVia(res)
	switch {
	case res.Via() == nil:
		return // it was meant for nobody behind us
	case res.IsProvisional():
		if b.final == nil {
			b.restartTimerC()
			b.relay.heard(b, res)
		}
	case res.IsSuccess():
		b.ringing.Stop()
		b.final = res
		b.relay.heard(b, res)
	default:
		if b.expired && res.StatusCode == 487 {
			res = b.relay.own(408, "")
		}
		b.end(res)
	}
}

// fail tries the next way, if there is one and the request is still wanted.
func (b *branch) fail(err error) {
	b.relay.p.cfg.Log.Debug("a phone cannot be reached", "target", b.target.uri.String(), "error", err)
	switch {
	case !b.cancelled && len(b.target.hops) > 0:
		b.try()
	case !errors.Is(err, siptx.ErrTimeout):
		b.end(b.relay.own(480, "The phone cannot be reached"))
	case b.relay.tx.Request().Method == sip.INVITE:
		b.end(b.relay.own(408, ""))
	default:
		b.end(b.relay.own(480, "The phone does not answer"))
	}
}

// end takes the branch's last word, which is no 2xx.
func (b *branch) end(res *sip.Response) {
	b.ringing.Stop()
	b.final = res
	b.relay.heard(b, res)
}

// withoutTopVia copies a response for the hop before us.
func withoutTopVia(res *sip.Response) *sip.Response {
	out := sip.NewResponse(res.StatusCode, res.Reason)
	skipped := false
	for _, h := range res.Headers() {
		if _, isVia := h.(*sip.ViaHeader); isVia && !skipped {
			skipped = true
			continue
		}
		out.AppendHeader(sip.HeaderClone(h))
	}
	out.SetBody(res.Body())
	return out
}
