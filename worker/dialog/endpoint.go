package dialog

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

// Config is what an Endpoint needs.
type Config struct {
	Loop     *loop.Loop
	Username string // From, To and Contact write sip:<Username>@…
	Domain   string // the host (and port) of From
	// NewToken makes the unguessable part of tags and Call-IDs.
	NewToken func() string
	// Random gives a number from 0 to n-1.
	Random func(n int) int
	// Incoming is told of every INVITE that begins a dialog. It returns who
	// observes the session, or nil when it has refused it.
	Incoming func(s *Session, i Invite) Observer
	// Changed is told how a dialog stands after each of its changes, for
	// whoever may have to end it in our place; nil for none.
	Changed func(d phone.Dialog)
}

// Endpoint is one phone's end of all its dialogs.
type Endpoint struct {
	cfg      Config
	ua       *sipua.UA
	outside  func(tx *sipua.ServerTx, req *sip.Request)
	sessions map[key]*Session
	over     func() // told once, when no session is left; nil for nobody
}

var _ sipua.Handler = (*Endpoint)(nil)

// key finds a session: the remote tag is not part of it, since an INVITE has
// one session however many far ends answer it.
type key struct{ callID, localTag string }

// NewEndpoint makes an Endpoint without dialogs. It is the handler of the UA
// that Use then gives it.
func NewEndpoint(cfg Config) *Endpoint {
	return &Endpoint{cfg: cfg, sessions: map[key]*Session{}}
}

// Use gives the endpoint its UA, before the loop runs. Requests that neither
// begin a dialog nor belong to one go to outside.
func (e *Endpoint) Use(ua *sipua.UA, outside func(tx *sipua.ServerTx, req *sip.Request)) {
	e.ua, e.outside = ua, outside
}

// Identity is the phone's address of record, as From gives it.
func (e *Endpoint) Identity() sip.Uri {
	uri := sip.Uri{Scheme: "sip", User: sipua.User(e.cfg.Username)}
	uri.Host, uri.Port = splitDomain(e.cfg.Domain)
	return uri
}

// Allow lists the methods that the endpoint understands, for an Allow header.
const Allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REFER, NOTIFY"

// Supported lists the extensions that the endpoint understands, for Supported
// and against Require.
const Supported = "replaces"

// Request implements sipua.Handler. A MESSAGE is outside whatever its To says:
// its meaning does not depend on a dialog.
func (e *Endpoint) Request(tx *sipua.ServerTx, req *sip.Request) {
	if unknown := unsupported(req); unknown != "" {
		respond(tx, 420, "Bad Extension", sip.NewHeader("Unsupported", unknown))
		return
	}
	tag, inDialog := toTag(req)
	switch {
	case req.Method == sip.MESSAGE || !inDialog && req.Method != sip.INVITE:
		e.outside(tx, req)
		return
	case !inDialog:
		e.incoming(tx, req)
		return
	}
	s := e.sessions[key{req.CallID().Value(), tag}]
	if s == nil || !s.fromPeer(req) {
		respond(tx, 481, "Call/Transaction Does Not Exist")
		return
	}
	s.request(tx, req)
}

// Ack implements sipua.Handler.
func (e *Endpoint) Ack(req *sip.Request) {
	tag, _ := toTag(req)
	if s := e.sessions[key{req.CallID().Value(), tag}]; s != nil {
		s.acked(req)
	}
}

// Stray implements sipua.Handler: the 2xx is a retransmission, or of a fork that
// answered late.
func (e *Endpoint) Stray(res *sip.Response) {
	from := res.From()
	if from == nil || res.CallID() == nil {
		return
	}
	tag, _ := from.Params.Get("tag")
	if s := e.sessions[key{res.CallID().Value(), tag}]; s != nil {
		s.accepted(res)
	}
}

func (e *Endpoint) add(s *Session) { e.sessions[key{s.callID, s.localTag}] = s }

// remove forgets a session; a fork's has no place of its own.
func (e *Endpoint) remove(s *Session) {
	if k := (key{s.callID, s.localTag}); e.sessions[k] == s {
		delete(e.sessions, k)
	}
	if e.over != nil && len(e.sessions) == 0 {
		e.cfg.Loop.Defer(e.over)
		e.over = nil
	}
}

// WhenOver calls over once, when no dialog is left: at once, or when the last
// has ended, for which a BYE wants its answer.
func (e *Endpoint) WhenOver(over func()) {
	if len(e.sessions) == 0 {
		over()
		return
	}
	e.over = over
}

// unsupported is the first extension that a request requires and we do not
// have (RFC 3261 §8.2.2.3); "" when there is none.
func unsupported(req *sip.Request) string {
	for _, h := range req.GetHeaders("Require") {
		for tag := range strings.SplitSeq(h.Value(), ",") {
			if tag = strings.TrimSpace(tag); tag != "" && tag != Supported {
				return tag
			}
		}
	}
	return ""
}

func toTag(req *sip.Request) (string, bool) {
	to := req.To()
	if to == nil {
		return "", false
	}
	return to.Params.Get("tag")
}

func respond(tx *sipua.ServerTx, status int, reason string, headers ...sip.Header) {
	res := sipua.NewResponse(tx.Request(), status, reason, "")
	for _, h := range headers {
		res.AppendHeader(h)
	}
	// A response that cannot be sent is the far end's to ask for again.
	_ = tx.Respond(res)
}
