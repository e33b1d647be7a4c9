package pbx

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/proto/sipnet"
)

// outgoing is what differs between a request and its copy.
type outgoing struct {
	uri    sip.Uri
	routes []sip.Uri
	from   sipnet.Target // of the request; its responses go there
	hop    sipnet.Target // of the copy
	proof  sip.Header    // credentials that were for us; nil: none
}

// onward copies a request for its next hop (RFC 3261 §16.6). Everything that
// is not ours stays as it came, in its order.
func (p *PBX) onward(req *sip.Request, o outgoing) *sip.Request {
	uri := o.uri
	uri.Headers = nil // not allowed in a Request-URI (§19.1.1)
	out := sip.NewRequest(req.Method, uri)
	out.AppendHeader(p.via(req, o.hop))
	for _, route := range o.routes {
		out.AppendHeader(&sip.RouteHeader{Address: route})
	}
	for _, uri := range p.recordRoutes(req, o) {
		out.AppendHeader(&sip.RecordRouteHeader{Address: uri})
	}
	hops := sip.MaxForwardsHeader(70)
	if given := req.MaxForwards(); given != nil {
		hops = *given - 1 // 0 was refused
	}
	out.AppendHeader(&hops)
	for _, h := range req.Headers() {
		switch {
		case h == o.proof:
		case strings.EqualFold(h.Name(), "Route"), strings.EqualFold(h.Name(), "Max-Forwards"):
		default:
			out.AppendHeader(sip.HeaderClone(h))
		}
	}
	out.SetBody(req.Body())
	return out
}

// recordRoutes are the URIs that keep this PBX in a new dialog: one, or, when
// the two sides differ in how they reach it, one for each (RFC 5658), the
// callee's first.
func (p *PBX) recordRoutes(req *sip.Request, o outgoing) []sip.Uri {
	switch req.Method {
	case sip.INVITE, sip.SUBSCRIBE, sip.REFER:
	default:
		return nil
	}
	callee, caller := p.recordRoute(req, o.hop), p.recordRoute(req, o.from)
	if callee.String() == caller.String() {
		return []sip.Uri{callee}
	}
	return []sip.Uri{callee, caller}
}

func (p *PBX) recordRoute(req *sip.Request, towards sipnet.Target) sip.Uri {
	uri := sip.Uri{Scheme: "sip", Host: p.hostTowards(towards), Port: int(p.own.bound.Port())}
	if towards.Transport != phone.UDP {
		uri.UriParams.Add("transport", string(towards.Transport))
	}
	uri.UriParams.Add("lr", "")
	uri.UriParams.Add(tokenParam, p.token(req))
	return uri
}

// via is ours on top of the copy. Its branch begins with what tells a loop.
func (p *PBX) via(req *sip.Request, hop sipnet.Target) *sip.ViaHeader {
	return &sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: sip.NetworkToUpper(string(hop.Transport)),
		Host: p.hostTowards(hop), Port: int(p.own.bound.Port()),
		Params: sip.HeaderParams{{K: "branch", V: loopMark(req) + rand.Text()}},
	}
}

// hostTowards is this machine's address as that neighbour sees it. Without a
// route to it nothing can be sent there, and it does not matter.
func (p *PBX) hostTowards(t sipnet.Target) string {
	addr, err := p.endpoint.Source(t.Addr.Addr())
	if err != nil {
		return p.own.bound.Addr().String()
	}
	return addr.WithZone("").String()
}

// loopMark is the same whenever a request comes by that would be routed the
// same way (§16.3 step 4, §16.6 step 8).
func loopMark(req *sip.Request) string {
	from, _ := param(req.From().Params, "tag")
	to, _ := param(req.To().Params, "tag")
	sum := sha256.Sum256([]byte(strings.Join([]string{
		req.Recipient.String(), from, to, req.CallID().Value(), req.CSeq().Value(),
	}, "\n")))
	return sip.RFC3261BranchMagicCookie + hex.EncodeToString(sum[:8]) + "."
}

// looped says that a request has been here before and has not changed.
func (p *PBX) looped(req *sip.Request) bool {
	mark := loopMark(req)
	for _, h := range req.GetHeaders("Via") {
		via, ok := h.(*sip.ViaHeader)
		if !ok {
			continue
		}
		branch, _ := via.Params.Get("branch")
		if strings.HasPrefix(branch, mark) && p.isMe(&sip.Uri{Host: via.Host, Port: via.Port}) {
			return true
		}
	}
	return false
}
