package sipua

import (
	"crypto/rand"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/proto/siptx"
)

// Outgoing is a request and what to do about its answers. Exactly one of a
// final OnResponse and OnFail happens. No callback runs within Send.
type Outgoing struct {
	// Request is complete but for Via; its CSeq is that of the first
	// attempt. It belongs to the UA from now on.
	Request *sip.Request
	// Targets are tried in order: the next one after a transport error, a
	// timeout or a 503, with a new branch (RFC 3263 §4.3).
	Targets []Target
	// NextCSeq gives the number of each authenticated retry; nil: one more.
	NextCSeq func() uint32
	// Authenticate answers 401 and 407 with the UA's credentials: once for
	// each of the two, and once more when the server calls the nonce stale.
	Authenticate bool
	// OnSent: a request, the first or a retry, has left the socket.
	OnSent func(req *sip.Request, t Target)
	// OnResponse: every provisional response but 100, the final one that
	// neither authentication nor failover has used up, and every further 2xx
	// to an INVITE. req is the request as sent.
	OnResponse func(res *sip.Response, req *sip.Request)
	// OnFail: no final response. err is a *phone.Error: Unreachable when
	// nobody answered or nothing could be sent, Invalid when the request is
	// not fit to be sent.
	OnFail func(err error)
	// OnCancelSent: the CANCEL of an INVITE that was given up has left.
	OnCancelSent func()
}

// ClientTx is an Outgoing on its way, through every attempt.
type ClientTx struct {
	ua      *UA
	out     Outgoing
	target  int // index of the one in use
	branch  string
	tries   int // requests sent, each with a branch of its own: see NextTry
	tx      *siptx.ClientTx
	req     *sip.Request
	over    bool
	refused map[bool]int // challenges answered, by proxy or not
	stale   map[bool]bool

	cancelled bool
	headers   []sip.Header // of the CANCEL
}

// Send sends a request and follows it to its end.
func (u *UA) Send(o Outgoing) *ClientTx {
	c := &ClientTx{ua: u, out: o, req: o.Request, branch: rand.Text(), refused: make(map[bool]int), stale: make(map[bool]bool)}
	if len(o.Targets) == 0 {
		u.loop.Defer(func() { c.fail(phone.Errorf(phone.Unreachable, "%v", noTarget(o.Request))) })
		return c
	}
	if o.Authenticate {
		u.preempt(c.req, o.Targets[0])
	}
	c.attempt()
	return c
}

// Request is the one now in flight.
func (c *ClientTx) Request() *sip.Request { return c.req }

// Cancel gives up an INVITE (RFC 3261 §9.1): a CANCEL with these headers
// added goes out, after the first provisional response if none came yet. Its
// end is a final OnResponse, or after 64*T1 OnFail.
func (c *ClientTx) Cancel(headers ...sip.Header) {
	if c.over || c.cancelled {
		return
	}
	c.cancelled, c.headers = true, headers
	if c.tx != nil {
		c.tx.Cancel(headers...)
	}
}

// attempt sends the request to the target now in turn.
func (c *ClientTx) attempt() {
	req, t := c.req, c.out.Targets[c.target]
	for req.RemoveHeader("Via") {
	}
	c.tries++
	via := c.ua.via(t)
	via.Params.Add("branch", branchOf(c.branch, c.tries))
	req.PrependHeader(via)
	tx, err := c.ua.layer.Request(req, t, siptx.ClientEvents{
		Sent: func() {
			if c.out.OnSent != nil {
				c.out.OnSent(req, t)
			}
		},
		Response:   func(res *sip.Response) { c.response(res, req) },
		CancelSent: c.out.OnCancelSent,
		Fail: func(err error) {
			if !c.failover() {
				c.fail(unreachable(req, t, err))
			}
		},
	})
	if err != nil {
		c.ua.loop.Defer(func() {
			c.fail(phone.Errorf(phone.Invalid, "%s cannot be sent: %v", req.Method, err))
		})
		return
	}
	c.tx = tx
	if c.cancelled {
		tx.Cancel(c.headers...)
	}
}

func (c *ClientTx) response(res *sip.Response, req *sip.Request) {
	switch {
	case res.StatusCode == 100:
		return
	case res.IsProvisional():
	case c.over: // a further 2xx
	case (res.StatusCode == 401 || res.StatusCode == 407) && c.authenticate(res):
		return
	case res.StatusCode == 503 && c.failover():
		return
	default:
		c.over = true
	}
	if c.out.OnResponse != nil {
		c.out.OnResponse(res, req)
	}
}

// failover tries the next target, if there is one and the request is still
// wanted.
func (c *ClientTx) failover() bool {
	if c.cancelled || c.target+1 >= len(c.out.Targets) {
		return false
	}
	c.target++
	c.req = c.req.Clone()
	c.attempt()
	return true
}

// authenticate answers a challenge; false means that the refusal is final.
func (c *ClientTx) authenticate(res *sip.Response) bool {
	proxy := res.StatusCode == 407
	if !c.out.Authenticate || c.ua.digest == nil || c.cancelled {
		return false
	}
	if c.refused[proxy] > 0 {
		if c.stale[proxy] || !isStale(res) {
			return false
		}
		c.stale[proxy] = true
	}
	retry := c.req.Clone()
	if err := c.ua.answer(retry, res, c.out.Targets[c.target]); err != nil {
		c.ua.cfg.Log.Debug("a challenge is not answered", "method", retry.Method, "error", err)
		return false
	}
	c.refused[proxy]++
	if c.out.NextCSeq != nil {
		retry.CSeq().SeqNo = c.out.NextCSeq()
	} else {
		retry.CSeq().SeqNo++
	}
	c.req = retry
	c.attempt()
	return true
}

func (c *ClientTx) fail(err error) {
	if c.over {
		return
	}
	c.over = true
	if c.out.OnFail != nil {
		c.out.OnFail(err)
	}
}
