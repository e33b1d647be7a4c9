package sdp

import (
	"fmt"
	"strconv"
	"strings"
)

// Bytes writes the description: every line with CRLF, an a=rtpmap for every
// codec, a direction for every medium. A medium's connection is written where
// it differs from the session's. Line breaks within values become blanks.
func (s Session) Bytes() []byte {
	w := &writer{}
	w.line('v', strconv.Itoa(s.Version))
	w.line('o', s.Origin.String())
	w.line('s', or(s.Name, "-"))
	if s.Connection != (Connection{}) {
		w.line('c', s.Connection.String())
	}
	w.line('t', "0 0")
	for _, a := range s.Attributes {
		w.attribute(a.Key, a.Value)
	}
	for _, m := range s.Media {
		w.media(m, s.Connection)
	}
	return []byte(w.b.String())
}

// String is the value of the o= line. What is missing is filled in; a user name
// that is no one word is as good as missing (RFC 8866 §5.2).
func (o Origin) String() string {
	address := or(o.Address, "0.0.0.0")
	kind := "IP4"
	if strings.Contains(address, ":") {
		kind = "IP6"
	}
	return fmt.Sprintf("%s %s %s IN %s %s", or(oneWord(o.Username), "-"), or(o.SessionID, "0"), or(o.Version, "0"), kind, address)
}

func oneWord(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	return s
}

// String is the value of a c= line.
func (c Connection) String() string { return "IN " + c.Type + " " + c.Address }

type writer struct{ b strings.Builder }

func (w *writer) line(letter byte, value string) {
	w.b.WriteByte(letter)
	w.b.WriteByte('=')
	w.b.WriteString(strings.NewReplacer("\r", " ", "\n", " ").Replace(value))
	w.b.WriteString("\r\n")
}

func (w *writer) attribute(key, value string) {
	if value != "" {
		key += ":" + value
	}
	w.line('a', key)
}

func (w *writer) media(m Media, session Connection) {
	w.line('m', strings.Join(append([]string{m.Type, strconv.Itoa(m.Port), m.Proto}, m.Formats...), " "))
	if m.Connection != session && m.Connection != (Connection{}) {
		w.line('c', m.Connection.String())
	}
	for _, c := range m.Codecs {
		w.attribute("rtpmap", c.rtpmap())
		if c.Fmtp != "" {
			w.attribute("fmtp", fmt.Sprintf("%d %s", c.PT, c.Fmtp))
		}
	}
	if m.RTCPPort != 0 {
		value := strconv.Itoa(m.RTCPPort)
		if m.RTCP != (Connection{}) {
			value += " " + m.RTCP.String()
		}
		w.attribute("rtcp", value)
	}
	if m.Ptime != 0 {
		w.attribute("ptime", strconv.Itoa(m.Ptime))
	}
	if m.Maxptime != 0 {
		w.attribute("maxptime", strconv.Itoa(m.Maxptime))
	}
	for _, c := range m.Crypto {
		w.attribute("crypto", strings.TrimRight(fmt.Sprintf("%d %s %s %s", c.Tag, c.Suite, c.Keys, c.Params), " "))
	}
	for _, a := range m.Attributes {
		w.attribute(a.Key, a.Value)
	}
	w.attribute(m.Direction.String(), "")
}

// rtpmap is the value of the codec's a=rtpmap. One channel is not written
// (RFC 8866 §6.6).
func (c Codec) rtpmap() string {
	value := fmt.Sprintf("%d %s/%d", c.PT, c.Name, c.ClockRate)
	if c.Channels > 1 {
		value += "/" + strconv.Itoa(c.Channels)
	}
	return value
}

// or stands in for a value that must not be empty.
func or(s, instead string) string {
	if strings.TrimSpace(s) == "" {
		return instead
	}
	return s
}
