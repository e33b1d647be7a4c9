package dialog

import (
	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
	"ringmaster/worker/sipua"
)

// Config is what an Endpoint needs.
type Config struct {
	Loop     *loop.Loop
	UA       *sipua.UA
	Username string // From, To and Contact write sip:<Username>@…
	Domain   string // the host (and port) of From
	// NewToken makes the unguessable part of tags and Call-IDs.
	NewToken func() string
	// Random gives a number from 0 to n-1.
	Random func(n int) int
	// Incoming is told of every INVITE that begins a dialog. It returns who
	// observes the session, or nil when it has refused it.
	Incoming func(s *Session, invite *sip.Request) Observer
}

// Endpoint is one phone's end of all its dialogs.
type Endpoint struct {
	cfg      Config
	sessions map[key]*Session
}

// key finds a session: the remote tag is not part of it, since an INVITE has
// one session however many far ends answer it.
type key struct{ callID, localTag string }

// NewEndpoint makes an Endpoint without dialogs.
func NewEndpoint(cfg Config) *Endpoint {
	return &Endpoint{cfg: cfg, sessions: map[key]*Session{}}
}

// Identity is the phone's address of record, as From gives it.
func (e *Endpoint) Identity() sip.Uri {
	uri := sip.Uri{Scheme: "sip", User: e.cfg.Username}
	uri.Host, uri.Port = splitDomain(e.cfg.Domain)
	return uri
}

// Allow lists the methods that the endpoint understands, for an Allow header.
const Allow = "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REFER, NOTIFY"

// Supported lists the extensions that the endpoint understands, for Supported
// and against Require.
const Supported = "replaces"

// Request takes a request that begins a dialog or belongs to one. It returns
// false, having done nothing, for a request that is neither: without a To tag,
// or a MESSAGE, whose meaning does not depend on a dialog.
func (e *Endpoint) Request(tx *sipua.ServerTx, req *sip.Request) bool {
	tag, inDialog := toTag(req)
	switch {
	case req.Method == sip.MESSAGE:
		return false
	case !inDialog && req.Method == sip.INVITE:
		e.incoming(tx, req)
		return true
	case !inDialog:
		return false
	}
	s := e.sessions[key{req.CallID().Value(), tag}]
	if s == nil || !s.fromPeer(req) {
		respond(tx, 481, "Call/Transaction Does Not Exist")
		return true
	}
	s.request(tx, req)
	return true
}

// Ack takes the ACK of a 2xx.
func (e *Endpoint) Ack(req *sip.Request) {
	tag, _ := toTag(req)
	if s := e.sessions[key{req.CallID().Value(), tag}]; s != nil {
		s.acked(req)
	}
}

// Stray takes a 2xx to an INVITE whose transaction is over: a retransmission,
// or a fork that answered late.
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

func (e *Endpoint) add(s *Session)    { e.sessions[key{s.callID, s.localTag}] = s }
func (e *Endpoint) remove(s *Session) { delete(e.sessions, key{s.callID, s.localTag}) }

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
