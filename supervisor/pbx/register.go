package pbx

import (
	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/sipnet"
	"ringmaster/proto/siptx"
)

// register serves a REGISTER (RFC 3261 §10.3). The address of record is the
// user of To; its host is not looked at.
func (p *PBX) register(tx *siptx.ServerTx, req *sip.Request) {
	if why := p.checkExtensions(req, "Require"); why != nil {
		p.refuse(tx, why)
		return
	}
	name, proof := p.authenticate(tx, req, asRegistrar)
	if proof == nil {
		return
	}
	if userOf(&req.To().Address) != name {
		p.respond(tx, 403, "To must be the authenticated user")
		return
	}
	for _, contact := range contactsOf(req) {
		if !contact.Address.Wildcard && p.isMe(&contact.Address) {
			p.respond(tx, 403, "Contact is this PBX itself")
			return
		}
	}
	now := p.loop.Now()
	if why := p.bindings.update(name, req, tx.Hop().(sipnet.Target), now); why != nil {
		p.refuse(tx, why)
		return
	}
	p.armExpiry()
	p.respond(tx, 200, "", p.bindings.contacts(name, now)...)
}

// armExpiry has the table cleared when its next binding ends.
func (p *PBX) armExpiry() {
	p.expiry.Stop()
	if next := p.bindings.expire(p.loop.Now()); next > 0 {
		p.expiry = p.loop.After(next, p.armExpiry)
	}
}

// hops are the ways to a binding's phone, best first: the connection that it
// registered on, then its Contact. A name in it is not looked up: the phone
// is where the REGISTER came from.
func (b *binding) hops() []sipnet.Target {
	t, literal, err := sipnet.Literal(&b.contact.Address, b.flow.Transport)
	switch {
	case err != nil || !literal:
		return []sipnet.Target{b.flow}
	case b.flow.Reliable() && t.Transport == b.flow.Transport && t.Addr != b.flow.Addr:
		return []sipnet.Target{b.flow, t}
	default:
		return []sipnet.Target{t}
	}
}
