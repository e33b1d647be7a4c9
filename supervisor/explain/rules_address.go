package explain

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"ringmaster/supervisor/diagnose"
)

// addressRules look at where each side says that it is.
func addressRules() []Rule {
	return []Rule{
		{"wrong_media_address", Error, "c= of the far end, and where its SIP and RTP come from", "The far end's description says that its sound is at %s, but %s.", "unless its sound comes from another machine by intent, the far end announces an address that others cannot use: set its external or NAT address", wrongMediaAddress},
		{"own_media_address", Error, "c= of the phone", "This phone announced %s for its sound to a far end at %s.", "the phone announces the address by which it reaches the far end: check the routes of this machine", ownMediaAddress},
		{"rtp_from_elsewhere", Warning, "the source of RTP and the far end's description", "Sound came from %s, but the far end's description says %s.", "a NAT or a firewall on the way changes ports, or something else sends: the phone sends to the described address all the same", rtpFromElsewhere},
		{"wrong_contact", Warning, "Contact of the far end, and where its SIP comes from", "The far end's Contact is %s, but its messages come from %s: requests within the call go astray.", "the far end announces an address that others cannot use: set its external or NAT address, or use a proxy that adds Record-Route", wrongContact},
	}
}

// least is how long sound must have been due before its absence means anything.
const least = 1500 * time.Millisecond

func wrongMediaAddress(r *record) *match {
	a, ok := r.current()
	if !ok || !r.counted() || unspecified(a.remote) || !a.live() {
		return nil
	}
	said, literal := a.remote.Connection.Addr()
	sip, known := host(a.theirs.Remote)
	if !literal || !known || said.Unmap() == sip || r.flowing(agreement.inbound) < least {
		return nil
	}
	from, heard := host(r.Call.RTP.RxFrom)
	why := fmt.Sprintf("its SIP comes from %s and no sound came at all", sip)
	switch {
	case heard && (from == said.Unmap() || !local(said) || local(sip)):
		return nil // it works, or rtp_from_elsewhere has it
	case !heard && proxied(a.theirs) && (!local(said) || local(sip)):
		return nil // its SIP comes from the proxy, which says nothing of its sound
	case heard:
		why = fmt.Sprintf("its SIP comes from %s and its sound from %s", sip, from)
	}
	return matched(message(a.theirs), r.statistic("c=%s, rx_packets %d, rx_from %s", said, r.Call.RTP.RxPackets, r.Call.RTP.RxFrom)).says(said, why)
}

// proxied says that a message came through a proxy that tells so.
func proxied(m diagnose.Message) bool {
	vias := 0
	for _, h := range m.Headers {
		if h.Name == "Via" {
			vias += 1 + strings.Count(h.Value, ",")
		}
	}
	return m.Header("Record-Route") != "" || m.IsRequest() && vias > 1
}

func ownMediaAddress(r *record) *match {
	a, ok := r.current()
	if !ok {
		return nil
	}
	own, literal := a.local.Connection.Addr()
	far, known := host(a.ours.Remote)
	if !literal || !known || far.IsLoopback() || !own.IsLoopback() && !own.IsUnspecified() {
		return nil
	}
	return matched(message(a.ours)).says(own, far)
}

func rtpFromElsewhere(r *record) *match {
	a, ok := r.current()
	if !ok || !r.counted() || !a.live() || unspecified(a.remote) {
		return nil
	}
	from, err := netip.ParseAddrPort(r.Call.RTP.RxFrom)
	addr, literal := a.remote.Connection.Addr()
	if err != nil || !literal {
		return nil
	}
	said := netip.AddrPortFrom(addr.Unmap(), uint16(a.remote.Port)) //nolint:gosec // the reader of SDP takes none above 65535
	if from == said || r.recentlyChanged(a) || wrongMediaAddress(r) != nil {
		return nil
	}
	return matched(message(a.theirs), r.statistic("rx_from %s, rx_packets %d", from, r.Call.RTP.RxPackets)).says(from, said)
}

// recentlyChanged says that the newest packet may be of the time before.
func (r *record) recentlyChanged(a agreement) bool {
	return len(r.agreements) > 1 && (r.end.Sub(a.at) < time.Second || !a.inbound())
}

func wrongContact(r *record) *match {
	m := r.introduced()
	if m == nil || m.Header("Record-Route") != "" {
		return nil
	}
	said, err := netip.ParseAddr(diagnose.Host(m.Header("Contact")))
	sip, known := host(m.Remote)
	if err != nil || !known || said.Unmap() == sip {
		return nil
	}
	astray := ackLost(r) != nil || r.unansweredBye() != nil
	if !astray && (!local(said) || local(sip)) {
		return nil
	}
	return matched(header(*m, "Contact")).says(said, sip)
}

// introduced is the message by which the far end said where it is: its INVITE,
// or its 2xx.
func (r *record) introduced() *diagnose.Message {
	x := r.last()
	if x == nil {
		return nil
	}
	if !x.ours {
		return x.request
	}
	if ok := x.success(); ok != nil && strings.TrimSpace(ok.Header("Contact")) != "" {
		return &ok.Message
	}
	return nil
}
