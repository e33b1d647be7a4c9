package negotiate

import (
	"fmt"
	"math"
	"net/netip"
	"strings"

	"ringmaster/proto/sdp"
	"ringmaster/worker/codec"
)

// Media is what was agreed.
type Media struct {
	// Where the far end takes RTP and RTCP. Zero while it holds with 0.0.0.0.
	// With a host name in its c= line the ports are set, the addresses are
	// not valid, and RemoteHost holds the name, to be resolved.
	Remote, RemoteRTCP netip.AddrPort
	RemoteHost         string

	Codec   codec.Spec           // what we send
	SendPT  uint8                // and under which payload type
	Receive map[uint8]codec.Spec // what may come, by payload type: our numbers and the far end's

	// Payload types of telephone-event, at the codec's clock rate where there
	// is one; -1 when there is none.
	EventSendPT, EventRecvPT int
	// CNPT is the payload type under which the far end may send comfort
	// noise; -1 when it does not list any. We never list it ourselves.
	CNPT int

	Local      Direction // what we may do
	RemoteHeld bool      // the far end wants no media from us
	Ptime      int       // ms that we send in a packet

	SRTP Keys // zero: RTP in the clear
}

// farEnd is what a far end's m= line says about the way to it.
type farEnd struct {
	rtp, rtcp netip.AddrPort
	host      string
	direction Direction // seen from the far end; 0.0.0.0 taken into account
}

// readFarEnd finds the addresses. It fails when there is no c= line.
func readFarEnd(m sdp.Media) (farEnd, error) {
	far := farEnd{direction: m.Direction}
	if m.Connection.Address == "" {
		return far, fmt.Errorf("%w: no c= line for the audio stream", ErrMalformed)
	}
	addr, literal := m.Connection.Addr()
	if literal && addr.IsUnspecified() || !literal && isInvalidHost(m.Connection.Address) {
		// The hold of RFC 2543, RFC 3264 §8.4: nothing is to be sent, RTCP
		// neither. The far end itself may send.
		far.direction = far.direction.And(SendOnly)
		return far, nil
	}
	if !literal {
		far.host = m.Connection.Address
	}
	far.rtp = netip.AddrPortFrom(addr, uint16(m.Port))
	rtcp := m.RTCPPort
	if rtcp == 0 && m.Port < math.MaxUint16 {
		rtcp = m.Port + 1 // RFC 3550 §11
	}
	if other, ok := m.RTCP.Addr(); ok && !other.IsUnspecified() {
		addr = other
	}
	far.rtcp = netip.AddrPortFrom(addr, uint16(rtcp))
	return far, nil
}

// isInvalidHost reports a name of the top level "invalid", which stands for
// 0.0.0.0 where there is only IPv6 (RFC 6157 §3.1).
func isInvalidHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "invalid" || strings.HasSuffix(host, ".invalid")
}

// sendPtime is the packet time that we send, in ms: what the far end asked
// for when that is 10, 20 … 60, else our own; never above its maxptime, unless
// that is below the 10 ms that we can do.
func sendPtime(own int, m sdp.Media) int {
	ptime := own
	if m.Ptime >= 10 && m.Ptime <= 60 && m.Ptime%10 == 0 {
		ptime = m.Ptime
	}
	if m.Maxptime > 0 && ptime > m.Maxptime {
		ptime = max(10, m.Maxptime/10*10)
	}
	return ptime
}
