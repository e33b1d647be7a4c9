package dialog

import (
	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

// contact is our Contact towards t. In a dialog that was begun with a SIPS URI
// it has to be one too (RFC 3261 §8.1.1.8 and §12.1.1), without transport=tls,
// which SIPS says already (RFC 5630 §3.1.4). Towards an end that is not reached
// over TLS it stays a SIP URI: nobody could use the other.
func (e *Endpoint) contact(t sipua.Target, secure bool) sip.Uri {
	uri := e.ua.Contact(e.cfg.Username, t)
	if secure && t.Transport == phone.TLS {
		uri.Scheme, uri.UriParams = "sips", nil
	}
	return uri
}

// asksForSIPS reports whether the answer to req must have a SIPS Contact: its
// Request-URI is one, or its top Record-Route, or without that its Contact.
func asksForSIPS(req *sip.Request) bool {
	if req.Recipient.IsEncrypted() {
		return true
	}
	if route, ok := req.GetHeader("Record-Route").(*sip.RecordRouteHeader); ok {
		return route.Address.IsEncrypted()
	}
	contact := req.Contact()
	return contact != nil && contact.Address.IsEncrypted()
}
