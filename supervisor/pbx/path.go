package pbx

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/proto/sipnet"
)

// tokenParam is the parameter of our Record-Route that proves a dialog.
const tokenParam = "rm-dialog"

// path is where a request says that it is to go, this PBX left behind
// (RFC 3261 §16.4).
type path struct {
	uri    sip.Uri   // the Request-URI
	routes []sip.Uri // still to be visited
	dialog bool      // a Route of ours proved the dialog
}

func (p *PBX) pathOf(req *sip.Request) path {
	way := path{uri: *req.Recipient.Clone()}
	for _, h := range req.GetHeaders("Route") {
		if route, ok := h.(*sip.RouteHeader); ok {
			way.routes = append(way.routes, *route.Address.Clone())
		}
	}
	token := p.token(req)
	proves := func(uri *sip.Uri) bool {
		given, _ := param(uri.UriParams, tokenParam)
		return hmac.Equal([]byte(given), []byte(token))
	}
	if n := len(way.routes); n > 0 && proves(&way.uri) && p.isMe(&way.uri) {
		// A strict router put our Route into the Request-URI.
		way.dialog = true
		way.uri, way.routes = way.routes[n-1], way.routes[:n-1]
	}
	for len(way.routes) > 0 && p.isMe(&way.routes[0]) {
		way.dialog = way.dialog || proves(&way.routes[0])
		way.routes = way.routes[1:]
	}
	return way
}

// next is the URI of the next hop. A strict router is given the form that it
// wants (§16.6 step 6).
func (w path) next() (hop *sip.Uri, onward path) {
	if len(w.routes) == 0 {
		return &w.uri, w
	}
	first := w.routes[0]
	if _, loose := param(first.UriParams, "lr"); !loose {
		strict := path{uri: first, dialog: w.dialog}
		strict.routes = append(strict.routes, w.routes[1:]...)
		strict.routes = append(strict.routes, w.uri)
		return &first, strict
	}
	return &first, w
}

// token proves that this PBX has seen the request which made the dialog.
func (p *PBX) token(msg sip.Message) string {
	mac := hmac.New(sha256.New, p.tokenKey[:])
	mac.Write([]byte(msg.CallID().Value()))
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// reach gives the places of a URI, best first: of a registered contact, what
// its registration says; else an address, or those that its name has.
func (p *PBX) reach(uri *sip.Uri) []sipnet.Target {
	if b := p.bindings.at(uri); b != nil {
		return b.hops()
	}
	addrs, _ := p.names.lookup(uri.Host)
	var out []sipnet.Target
	for _, addr := range addrs {
		literal := uri.Clone()
		literal.Host = addr.String()
		if t, ok, err := sipnet.Literal(literal, phone.UDP); ok && err == nil {
			out = append(out, t)
		}
	}
	return out
}
