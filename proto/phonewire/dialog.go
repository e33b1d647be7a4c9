package phonewire

import (
	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
)

func dialogToWire(d *phone.Dialog) *pb.Dialog {
	m := &pb.Dialog{
		SipCallId: text(d.SIPCallID),
		LocalTag:  text(d.LocalTag),
		Over:      d.Over,
		Inbound:   d.Inbound,
		Confirmed: d.Confirmed,
		Local:     text(d.Local),
		Remote:    text(d.Remote),
		LocalSeq:  d.LocalSeq,
		RemoteSeq: d.RemoteSeq,
		Target:    text(d.Target),
	}
	for _, r := range d.Routes {
		m.Routes = append(m.Routes, text(r))
	}
	if i := d.Invite; i != nil {
		m.Invite = &pb.Invite{Head: i.Head, Transport: text(string(i.Transport)), Peer: text(i.Peer), Host: text(i.Host)}
	}
	return m
}

func dialogFromWire(m *pb.Dialog) *phone.Dialog {
	d := &phone.Dialog{
		SIPCallID: m.GetSipCallId(),
		LocalTag:  m.GetLocalTag(),
		Over:      m.GetOver(),
		Inbound:   m.GetInbound(),
		Confirmed: m.GetConfirmed(),
		Local:     m.GetLocal(),
		Remote:    m.GetRemote(),
		LocalSeq:  m.GetLocalSeq(),
		RemoteSeq: m.GetRemoteSeq(),
		Routes:    m.GetRoutes(),
		Target:    m.GetTarget(),
	}
	if i := m.GetInvite(); i != nil {
		d.Invite = &phone.Invite{Head: i.GetHead(), Transport: phone.Transport(i.GetTransport()), Peer: i.GetPeer(), Host: i.GetHost()}
	}
	return d
}
