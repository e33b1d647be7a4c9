package wire

import (
	"encoding/binary"
	"slices"
	"time"
)

// Datagram is one UDP datagram on the wire.
type Datagram struct {
	At       time.Time
	From, To int // UDP ports
	Payload  []byte
}

// udpHeader is the length of a UDP header (RFC 768).
const udpHeader = 8

// parseUDP reads an IPv4 packet and tells whether it carries UDP. The payload
// is a copy.
func parseUDP(at time.Time, ip []byte) (Datagram, bool) {
	const udp = 17
	if len(ip) < 20 || ip[0]>>4 != 4 || ip[9] != udp {
		return Datagram{}, false
	}
	header := int(ip[0]&15) * 4
	if len(ip) < header+udpHeader {
		return Datagram{}, false
	}
	datagram := ip[header:]
	return Datagram{
		At: at, From: int(binary.BigEndian.Uint16(datagram)), To: int(binary.BigEndian.Uint16(datagram[2:])),
		Payload: slices.Clone(datagram[udpHeader:]),
	}, true
}
