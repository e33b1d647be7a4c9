package dialog

import (
	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

// kept is the part of a session that only matters to whoever has to end it in
// our place.
type kept struct {
	invite *phone.Invite // the first INVITE, while it has no final response
	early  *sip.Response // its newest provisional response with a tag
	told   bool          // Changed has heard of the dialog
	silent bool          // and will not hear more
}

// keep tells how the dialog stands.
func (s *Session) keep() {
	if s.e.cfg.Changed == nil || s.kept.silent {
		return
	}
	s.kept.told = true
	s.e.cfg.Changed(s.standing())
}

// keepOver tells that there is nothing left to end.
func (s *Session) keepOver() {
	if s.kept.told && !s.kept.silent {
		s.e.cfg.Changed(phone.Dialog{SIPCallID: s.callID, LocalTag: s.localTag, Over: true})
	}
	s.kept.silent = true
}

// keepInvite remembers the INVITE that went to t or came from there.
func (s *Session) keepInvite(invite *sip.Request, t sipua.Target) {
	s.kept.invite, s.kept.early = sipua.Keep(invite, t), nil
	s.keep()
}

// keepFinal tells that the INVITE is answered with a 2xx.
func (s *Session) keepFinal() {
	s.kept.invite, s.kept.early = nil, nil
	s.keep()
}

// standing describes the dialog; an early one as its newest provisional
// response has it.
func (s *Session) standing() phone.Dialog {
	at := *s
	if s.kept.early != nil {
		at.routes = nil
		at.establish(s.kept.early)
	}
	d := phone.Dialog{
		SIPCallID: s.callID, LocalTag: s.localTag, Inbound: !s.ownsCallID, Confirmed: s.confirmed,
		Local: at.local.Value(), Remote: at.remote.Value(), LocalSeq: s.localSeq, RemoteSeq: s.remoteSeq,
		Target: place(at.target), Invite: s.kept.invite,
	}
	for _, r := range at.routes {
		d.Routes = append(d.Routes, place(r))
	}
	return d
}

// place is a URI without the headers that a request to it does not carry.
func place(uri sip.Uri) string {
	uri.Headers = nil
	return uri.String()
}
