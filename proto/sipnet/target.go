package sipnet

import (
	"net/netip"
	"strconv"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

// Target is where a message goes, or where one came from.
type Target struct {
	Transport phone.Transport
	Addr      netip.AddrPort
	Host      string     // the name that TLS verifies; "" means the address
	Source    netip.Addr // the local address that the kernel picks towards Addr
}

// Reliable says that the transport retransmits by itself.
func (t Target) Reliable() bool { return t.Transport != phone.UDP }

// DefaultPort is the port of a SIP transport where none is written
// (RFC 3261 §19.1.2).
func DefaultPort(t phone.Transport) uint16 {
	if t == phone.TLS {
		return 5061
	}
	return 5060
}

// markReceived writes into a request's top Via where it came from: received
// when sent-by is something else, and the port where rport asks for it
// (RFC 3261 §18.2.1, RFC 3581 §4).
func markReceived(via *sip.ViaHeader, from netip.AddrPort) {
	_, wantsPort := via.Params.Get("rport")
	if wantsPort {
		via.Params.Add("rport", strconv.Itoa(int(from.Port())))
	}
	sentBy, err := netip.ParseAddr(via.Host)
	if wantsPort || err != nil || sentBy.Unmap() != from.Addr() {
		via.Params.Add("received", from.Addr().WithZone("").String())
	}
}

// replyAddr is where responses to a request go over an unreliable transport
// (RFC 3261 §18.2.2, RFC 3581 §4): the address it came from, at the port that
// it came from (with rport) or that its sent-by names.
func replyAddr(via *sip.ViaHeader, from netip.AddrPort) netip.AddrPort {
	if _, ok := via.Params.Get("rport"); ok {
		return from
	}
	return sentByAddr(via, phone.UDP, from.Addr())
}

// sentByAddr is the sent-by port at addr.
func sentByAddr(via *sip.ViaHeader, t phone.Transport, addr netip.Addr) netip.AddrPort {
	if via.Port < 1 || via.Port > 65535 {
		return netip.AddrPortFrom(addr, DefaultPort(t))
	}
	return netip.AddrPortFrom(addr, uint16(via.Port))
}
