package sipua

import (
	"net/netip"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/proto/sipnet"
	"ringmaster/proto/siptx"
)

// Keep describes an INVITE that has no final response, so that another process
// can take it up: one that was sent to t, or came from there.
func Keep(invite *sip.Request, t Target) *phone.Invite {
	return &phone.Invite{Head: sipnet.Head(invite), Transport: t.Transport, Peer: t.Addr.String(), Host: t.Host}
}

// TakeUp reads what Keep has described.
func TakeUp(i *phone.Invite) (*sip.Request, Target, error) {
	unfit := func(err error) error {
		return phone.Errorf(phone.Invalid, "an INVITE of a dead worker cannot be taken up: %v", err)
	}
	req, err := sipnet.ParseRequest(i.Head)
	if err != nil {
		return nil, Target{}, unfit(err)
	}
	addr, err := netip.ParseAddrPort(i.Peer)
	if err != nil {
		return nil, Target{}, unfit(err)
	}
	return req, Target{Transport: i.Transport, Addr: addr, Host: i.Host}, nil
}

// ResumeInvite follows an INVITE that a process before this one has sent to t.
// Of o, OnResponse and OnFail are used.
func (u *UA) ResumeInvite(invite *sip.Request, t Target, o Outgoing) (*ClientTx, error) {
	o.Request, o.Targets = invite, []Target{t}
	c := &ClientTx{ua: u, out: o, req: invite, refused: make(map[bool]int), stale: make(map[bool]bool)}
	tx, err := u.layer.ResumeInvite(invite, t, siptx.ClientEvents{
		Response: func(res *sip.Response) { c.response(res, invite) },
		Fail:     func(err error) { c.fail(unreachable(invite, t, err)) },
	})
	if err != nil {
		return nil, phone.Errorf(phone.Invalid, "an INVITE cannot be taken up: %v", err)
	}
	c.tx = tx
	return c, nil
}

// ResumeServer makes an INVITE that a process before this one has received
// from t answerable.
func (u *UA) ResumeServer(invite *sip.Request, t Target) (*ServerTx, error) {
	tx, err := u.layer.ResumeServer(invite, t)
	if err != nil {
		return nil, phone.Errorf(phone.Invalid, "an INVITE cannot be taken up: %v", err)
	}
	return &ServerTx{tx: tx, ua: u}, nil
}
