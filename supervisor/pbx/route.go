package pbx

import (
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/siptx"
)

// forwarded are the methods that the PBX passes on to a user from outside a
// dialog.
const forwarded = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, SUBSCRIBE, NOTIFY, INFO, REFER, MESSAGE, UPDATE"

// receive takes a new request: once the names in it are known, it is routed.
func (p *PBX) receive(tx *siptx.ServerTx, req *sip.Request) {
	if why := p.unreasonable(req); why != nil {
		p.refuse(tx, why)
		return
	}
	r := newRelay(p, tx)
	if !p.names.settle(p.hostsOf(req), func() { p.route(r) }) {
		p.respond(tx, 503, "Too many host names to look up")
	}
}

// unreasonable is RFC 3261 §16.3 but for authentication.
func (p *PBX) unreasonable(req *sip.Request) *refusal {
	if req.Recipient.Scheme != "sip" {
		return refuse(416, "Only sip URIs are served")
	}
	if hops := req.MaxForwards(); hops != nil && hops.Val() == 0 {
		return refuse(483, "")
	}
	if p.looped(req) {
		return refuse(482, "")
	}
	return nil
}

// hostsOf are the hosts that decide where a request goes. The realm is the
// PBX's without asking anybody.
func (p *PBX) hostsOf(req *sip.Request) []string {
	var hosts []string
	if canonical(req.Recipient.Host) != canonical(p.cfg.Realm) {
		hosts = append(hosts, req.Recipient.Host)
	}
	for _, h := range req.GetHeaders("Route") {
		if route, ok := h.(*sip.RouteHeader); ok && len(hosts) < 5 {
			hosts = append(hosts, route.Address.Host)
		}
	}
	return hosts
}

// route decides what becomes of a request (§16.5).
func (p *PBX) route(r *relay) {
	if r.over {
		return // cancelled meanwhile
	}
	tx, req := r.tx, r.tx.Request()
	way := p.pathOf(req)
	local := p.isDomain(&way.uri)
	switch {
	case way.dialog && !p.isMe(&way.uri):
		p.passInDialog(r, way)
	case len(way.routes) > 0:
		p.respond(tx, 403, "No relaying to foreign hosts")
	case local && req.Method == sip.REGISTER:
		p.register(tx, req)
	case local && way.uri.User == "":
		p.serve(tx, req)
	case local:
		p.call(r, userOf(&way.uri))
	case p.bindings.at(&way.uri) != nil:
		if p.admit(r) {
			r.fork([]target{{way.uri, p.reach(&way.uri)}})
		}
	default:
		p.respond(tx, 403, "No relaying to foreign hosts")
	}
}

// serve answers a request that is for the PBX itself.
func (p *PBX) serve(tx *siptx.ServerTx, req *sip.Request) {
	allow := sip.NewHeader("Allow", "REGISTER, "+forwarded)
	switch {
	case req.Method == sip.OPTIONS:
		p.respond(tx, 200, "", allow)
	case isForwarded(req.Method):
		p.respond(tx, 404, "Name a user of this PBX")
	default:
		p.refuseMethod(tx, req)
	}
}

// call relays a request to a user of the PBX.
func (p *PBX) call(r *relay, callee string) {
	if !p.admit(r) {
		return
	}
	if _, known := p.cfg.Users(callee); !known {
		p.respond(r.tx, 404, "")
		return
	}
	var targets []target
	for _, b := range p.bindings.of(callee) {
		targets = append(targets, target{b.contact.Address, b.hops()})
	}
	if len(targets) == 0 {
		p.respond(r.tx, 480, "User is not registered")
		return
	}
	r.fork(targets)
}

// admit checks who sends a request outside a dialog, and what. Without leave
// it has answered.
func (p *PBX) admit(r *relay) bool {
	req := r.tx.Request()
	if !isForwarded(req.Method) {
		p.refuseMethod(r.tx, req)
		return false
	}
	if why := p.checkExtensions(req, "Proxy-Require"); why != nil {
		p.refuse(r.tx, why)
		return false
	}
	name, proof := p.authenticate(r.tx, req, asProxy)
	if proof == nil {
		return false
	}
	if userOf(&req.From().Address) != name {
		p.respond(r.tx, 403, "From must be the authenticated user")
		return false
	}
	r.proof = proof
	return true
}

// passInDialog follows the route set of a dialog that was made through here.
func (p *PBX) passInDialog(r *relay, way path) {
	if why := p.checkExtensions(r.tx.Request(), "Proxy-Require"); why != nil {
		p.refuse(r.tx, why)
		return
	}
	next, onward := way.next()
	r.routes = onward.routes
	r.fork([]target{{onward.uri, p.reach(next)}})
}

// passAck sends the ACK of a 2xx where its dialog says, or to a registered
// contact; any other is dropped, since nothing answers an ACK.
func (p *PBX) passAck(ack *sip.Request) {
	if p.unreasonable(ack) != nil {
		return
	}
	p.names.settle(p.hostsOf(ack), func() {
		way := p.pathOf(ack)
		if !way.dialog && (len(way.routes) > 0 || p.bindings.at(&way.uri) == nil) {
			return
		}
		next, onward := way.next()
		hops := p.reach(next)
		if len(hops) == 0 || p.isMe(next) {
			return
		}
		copied := p.onward(ack, outgoing{uri: onward.uri, routes: onward.routes, hop: hops[0]})
		if err := p.layer.SendAlone(copied, hops[0]); err != nil {
			p.cfg.Log.Debug("an ACK cannot be passed on", "error", err)
		}
	})
}

func isForwarded(m sip.RequestMethod) bool {
	return slices.Contains(strings.Split(forwarded, ", "), string(m))
}

// refuseMethod tells a method that exists from one that does not.
func (p *PBX) refuseMethod(tx *siptx.ServerTx, req *sip.Request) {
	allow := sip.NewHeader("Allow", "REGISTER, "+forwarded)
	if req.Method == sip.PUBLISH || req.Method == sip.REGISTER {
		p.respond(tx, 405, "", allow)
		return
	}
	p.respond(tx, 501, "", allow)
}

// checkExtensions refuses whatever a header requires: there are none here
// (§8.2.2.3, §16.3 step 5).
func (p *PBX) checkExtensions(req *sip.Request, header string) *refusal {
	var required []string
	for _, h := range req.GetHeaders(header) {
		required = append(required, h.Value())
	}
	if len(required) == 0 {
		return nil
	}
	return refuse(420, "", sip.NewHeader("Unsupported", strings.Join(required, ", ")))
}
