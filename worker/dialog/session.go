package dialog

import (
	"net/netip"

	"github.com/emiago/sipgo/sip"

	"ringmaster/worker/sipua"
)

// Observer is told what happens to a session. Its methods run on the loop and
// may call the session's methods. Bodies are SDP, or empty.
type Observer interface {
	// Offer is asked for the INVITE's SDP once it is known which local
	// address the far end will see. An error ends the session: Failed.
	Offer(source netip.Addr) ([]byte, error)
	// InviteSent: the INVITE has left.
	InviteSent()
	// Progressed: a provisional response, 101 to 199.
	Progressed(a Answer)
	// Accepted: the first 2xx. What it returns goes into the ACK: the
	// answer, when the 2xx held the offer.
	Accepted(a Answer) (ack []byte)
	// AckSent: the ACK of that 2xx has left.
	AckSent()
	// Declined: a final response of 300 or more.
	Declined(a Answer)
	// Failed: no final response, for this reason.
	Failed(err error)

	// Acked: the ACK of a 2xx of ours came; body is the answer, when the 2xx
	// held the offer.
	Acked(body []byte)
	// AckMissing: it never came.
	AckMissing()
	// Cancelled: CANCEL came while our final response was outstanding.
	Cancelled()

	// Byed: BYE came, and has been answered.
	Byed()
	// Reoffered: an offer within the dialog, or, with empty body, the wish
	// for one, whose answer comes with Acked. An error refuses it with its
	// status as a *phone.Error, else 488, and leaves the session as it is.
	Reoffered(body []byte) (answer []byte, err error)
	// Informed: an INFO came; false says that its body means nothing to us.
	Informed(contentType string, body []byte) bool
	// Referred: the far end wants us to call somebody. A status refuses it;
	// 0 accepts, and what becomes of the call goes to r.Report.
	Referred(r Referral) (status int, reason string)
	// Notified: news of the call that we asked for by Refer. status is 0
	// when the far end did not say; over means that no more will come.
	Notified(status int, reason string, over bool)
	// Lost: the far end does not know the dialog any more (481, 408), or
	// cannot be reached.
	Lost(err error)
}

// Session is one INVITE and the dialog it makes.
type Session struct {
	e        *Endpoint
	observer Observer

	callID    string
	localTag  string
	remoteTag string
	local     sip.FromHeader // with tag
	remote    sip.ToHeader   // with tag once known
	localSeq  uint32
	remoteSeq uint32 // 0 before the far end's first request
	routes    []sip.Uri
	target    sip.Uri       // where requests go: the far end's Contact, once it is known
	contacted bool          // it is known
	hop       *sipua.Target // where the INVITE went; nil when we did not send it
	contact   sip.Uri       // ours
	source    netip.Addr

	invite     *sipua.ClientTx // our INVITE
	ack        *sip.Request    // of its 2xx, to repeat
	ackTo      sipua.Target
	cancelled  bool      // it is to be given up
	cancelLeft func()    // told when the CANCEL has left; nil for nobody
	told       bool      // the observer knows that it has left
	redirects  redirects // where 3xx responses have sent it
	inviting   bool      // our INVITE or re-INVITE is not final
	reoffers   []Reoffer // they wait for their turn
	ownsCallID bool      // we made the Call-ID

	incoming *answering // their INVITE or re-INVITE that is not done

	referring int // REFERs whose last NOTIFY has not come

	confirmed bool // the dialog is no longer early
	ended     bool // BYE sent or received, or refused

	kept  kept   // what is told of it for the time after our death
	onEnd func() // told once, when the session is forgotten; nil for nobody
}

// CallID is the SIP Call-ID.
func (s *Session) CallID() string { return s.callID }

// LocalTag is our tag, which with the Call-ID names the session.
func (s *Session) LocalTag() string { return s.localTag }

// RemoteURI is the far end's address of record, as From or To gave it.
func (s *Session) RemoteURI() string { return s.remote.Address.String() }

// RemoteContact is the far end's Contact, "" while it is not known.
func (s *Session) RemoteContact() string {
	if !s.contacted {
		return ""
	}
	return s.target.String()
}

// LocalContact is our Contact, "" before the first message has left.
func (s *Session) LocalContact() string {
	if s.contact.Host == "" {
		return ""
	}
	return s.contact.String()
}

// Source is the local address that the far end sees; invalid before it is
// known.
func (s *Session) Source() netip.Addr { return s.source }

func (s *Session) nextSeq() uint32 {
	s.localSeq++
	return s.localSeq
}

// fromPeer reports whether a request's From tag is the far end's.
func (s *Session) fromPeer(req *sip.Request) bool {
	from := req.From()
	if from == nil {
		return false
	}
	tag, _ := from.Params.Get("tag")
	return s.remoteTag == "" || tag == s.remoteTag
}

// establish takes the dialog's remote side from a response to our INVITE
// (RFC 3261 §12.1.2).
func (s *Session) establish(res *sip.Response) {
	if to := res.To(); to != nil {
		s.remote = *to
		s.remoteTag, _ = to.Params.Get("tag")
	}
	s.routes = s.routes[:0]
	records := res.GetHeaders("record-route")
	for i := len(records) - 1; i >= 0; i-- {
		if r, ok := records[i].(*sip.RecordRouteHeader); ok {
			s.routes = append(s.routes, r.Address)
		}
	}
	s.refreshTarget(res)
}

// refreshTarget takes over a Contact (RFC 3261 §12.2.1.2). Of several, the
// first counts.
func (s *Session) refreshTarget(msg sip.Message) {
	for _, h := range msg.GetHeaders("contact") {
		if c, ok := h.(*sip.ContactHeader); ok && c.Address.Host != "" {
			s.target, s.contacted = c.Address, true
			return
		}
	}
}

// nextHop is where a request of this dialog goes first.
func (s *Session) nextHop() sip.Uri {
	if len(s.routes) > 0 {
		return s.routes[0]
	}
	return s.target
}

// newRequest makes a request within the dialog, complete but for Via
// (RFC 3261 §12.2.1.1). With a strict router in front its URI becomes the
// Request-URI and the target goes to the end of the route.
func (s *Session) newRequest(method sip.RequestMethod, seq uint32) *sip.Request {
	uri, routes := s.target, s.routes
	if len(routes) > 0 && !routes[0].UriParams.Has("lr") {
		uri = routes[0]
		routes = append(append([]sip.Uri(nil), routes[1:]...), s.target)
	}
	uri.Headers = nil
	req := sip.NewRequest(method, uri)
	for _, r := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: *r.Clone()})
	}
	s.stamp(req, seq)
	return req
}

// stamp adds the headers that every request of the session carries.
func (s *Session) stamp(req *sip.Request, seq uint32) {
	from, to := s.local, s.remote
	from.Params, to.Params = from.Params.Clone(), to.Params.Clone()
	callID := sip.CallIDHeader(s.callID)
	forwards := sip.MaxForwardsHeader(70)
	req.AppendHeader(&forwards)
	req.AppendHeader(&from)
	req.AppendHeader(&to)
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: req.Method})
	switch req.Method {
	case sip.INVITE, sip.UPDATE:
		req.AppendHeader(&sip.ContactHeader{Address: s.contact})
		req.AppendHeader(sip.NewHeader("Allow", Allow))
		req.AppendHeader(sip.NewHeader("Supported", Supported))
	}
}

// splitDomain cuts "host:port", where the port may be missing, into its parts.
func splitDomain(domain string) (host string, port int) {
	var uri sip.Uri
	if err := sip.ParseUri("sip:"+domain, &uri); err != nil {
		return domain, 0
	}
	return uri.Host, uri.Port
}

const sdpType = "application/sdp"

// setBody finishes a message: its Content-Type, when it has a body, and its
// Content-Length.
func setBody(msg sip.Message, contentType string, body []byte) {
	if len(body) == 0 {
		msg.SetBody(nil)
		return
	}
	header := sip.ContentTypeHeader(contentType)
	msg.AppendHeader(&header)
	msg.SetBody(body)
}
