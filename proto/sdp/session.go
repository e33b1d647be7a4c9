package sdp

import (
	"net/netip"
	"strings"
)

// Session is one description.
type Session struct {
	Version    int // v=; 0 is the only one there is
	Origin     Origin
	Name       string     // s=
	Connection Connection // c= of the session; zero when there is none
	Attributes []Attribute
	Media      []Media
}

// Origin is the o= line. Numbers are kept as text: real ones do not always
// fit 64 bits, and are not always numbers.
type Origin struct {
	Username  string
	SessionID string
	Version   string
	Address   string // of whatever type; "" when the line was missing
}

// Connection is a c= line.
type Connection struct {
	Type    string // "IP4" or "IP6"; "" when there is no connection
	Address string // literal or host name, without a multicast TTL
}

// Addr is the address when it is a literal. False for a host name or nothing.
func (c Connection) Addr() (netip.Addr, bool) {
	addr, err := netip.ParseAddr(c.Address)
	return addr.Unmap(), err == nil
}

// ConnectionTo makes the connection of a literal address.
func ConnectionTo(addr netip.Addr) Connection {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		return Connection{Type: "IP6", Address: addr.String()}
	}
	return Connection{Type: "IP4", Address: addr.String()}
}

// Attribute is an a= line; Value is "" for a flag such as a=rtcp-mux.
type Attribute struct{ Key, Value string }

// Media is an m= line with all that belongs to it.
type Media struct {
	Type       string     // "audio", "video", "image", …
	Port       int        // 0 to 65535; 0 means refused or switched off
	Proto      string     // as given: "RTP/AVP"
	Formats    []string   // payload types, or whatever Proto has
	Codecs     []Codec    // of an RTP stream, in the order of Formats; formats that nothing names are left out
	Connection Connection // its own, else the session's
	Direction  Direction  // its own, else the session's, else SendRecv
	RTCPPort   int        // of a=rtcp (RFC 3605); 0 when there is none
	RTCP       Connection // the address in a=rtcp; zero when there is none
	Ptime      int        // ms; 0 when not said
	Maxptime   int        // ms; 0 when not said
	Crypto     []Crypto
	Attributes []Attribute // every other a= line, in order
}

// IsRTP reports whether the formats are RTP payload types.
func (m Media) IsRTP() bool { return strings.Contains(strings.ToUpper(m.Proto), "RTP/") }

// PayloadTypes are the formats of an RTP stream as numbers, in their order,
// those too that nothing names; none for other protocols.
func (m Media) PayloadTypes() []int {
	types := []int{}
	if !m.IsRTP() {
		return types
	}
	for _, format := range m.Formats {
		if pt, ok := parsePT(format); ok {
			types = append(types, int(pt))
		}
	}
	return types
}

// Codec is a payload type and what it stands for.
type Codec struct {
	PT        uint8 // 0 to 127
	Name      string
	ClockRate int    // Hz
	Channels  int    // 1 when not said
	Fmtp      string // format parameters, "" when there are none
}

// Crypto is an a=crypto line (RFC 4568 §4).
type Crypto struct {
	Tag    int
	Suite  string // "AES_CM_128_HMAC_SHA1_80"
	Keys   string // key parameters: "inline:…"
	Params string // session parameters, "" when there are none
}
