package sdp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxSize bounds a description that is read: no more fits a SIP datagram.
const maxSize = 64 << 10

// Errors of Parse.
var (
	ErrTooLong   = errors.New("session description of more than 64 KiB")
	ErrNotSDP    = errors.New("not a session description: it has neither v=, o= nor m=")
	ErrMediaLine = errors.New("malformed m= line")
)

// reader holds what is known half-way through a description.
type reader struct {
	session   Session
	direction Direction // of the session
	known     bool      // a v=, o= or m= line was seen
	sections  []section // one for each m= line
}

// section is what belongs to one m= line, before it is put together.
type section struct {
	media      Media
	hasOwn     bool // a direction of its own
	names      map[uint8]Codec
	parameters map[uint8]string
}

// Parse reads a description. It fails only for what has no reading: too long
// an input, no description at all, an m= line without port or protocol.
func Parse(b []byte) (Session, error) {
	if len(b) > maxSize {
		return Session{}, ErrTooLong
	}
	var r reader
	for line := range strings.FieldsFuncSeq(string(b), func(r rune) bool { return r == '\r' || r == '\n' }) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		if err := r.line(line[0], strings.TrimSpace(line[2:])); err != nil {
			return Session{}, err
		}
	}
	if !r.known {
		return Session{}, ErrNotSDP
	}
	return r.finish(), nil
}

func (r *reader) line(letter byte, value string) error {
	switch letter {
	case 'v':
		r.known = true
		r.session.Version, _ = strconv.Atoi(value)
	case 'o':
		r.known = true
		r.session.Origin = parseOrigin(value)
	case 's':
		r.session.Name = value
	case 'c':
		if current := r.current(); current != nil {
			current.media.Connection = parseConnection(strings.Fields(value))
		} else {
			r.session.Connection = parseConnection(strings.Fields(value))
		}
	case 'm':
		r.known = true
		media, err := parseMedia(value)
		if err != nil {
			return err
		}
		r.sections = append(r.sections, section{media: media, names: map[uint8]Codec{}, parameters: map[uint8]string{}})
	case 'a':
		key, value, _ := strings.Cut(value, ":")
		a := Attribute{strings.TrimSpace(key), strings.TrimSpace(value)}
		if current := r.current(); current != nil {
			current.attribute(a)
		} else if d, ok := ParseDirection(strings.ToLower(a.Key)); ok {
			r.direction = d
		} else {
			r.session.Attributes = append(r.session.Attributes, a)
		}
	}
	return nil
}

// current is the section that a line belongs to; nil before the first m=.
func (r *reader) current() *section {
	if len(r.sections) == 0 {
		return nil
	}
	return &r.sections[len(r.sections)-1]
}

// finish hands the session's defaults down to the media, and names the
// payload types.
func (r *reader) finish() Session {
	for _, s := range r.sections {
		m := s.media
		if m.Connection == (Connection{}) {
			m.Connection = r.session.Connection
		}
		if !s.hasOwn {
			m.Direction = r.direction
		}
		if m.IsRTP() {
			m.Codecs = s.codecs()
		}
		r.session.Media = append(r.session.Media, m)
	}
	return r.session
}

// codecs names the formats, each once.
func (s section) codecs() []Codec {
	var codecs []Codec
	seen := map[uint8]bool{}
	for _, format := range s.media.Formats {
		pt, ok := parsePT(format)
		if !ok || seen[pt] {
			continue
		}
		seen[pt] = true
		c, ok := s.names[pt]
		if !ok {
			if c, ok = Static(pt); !ok {
				continue
			}
		}
		c.Fmtp = s.parameters[pt]
		codecs = append(codecs, c)
	}
	return codecs
}

// attribute takes an a= line of a media section.
func (s *section) attribute(a Attribute) {
	m := &s.media
	known := true
	switch strings.ToLower(a.Key) {
	case "rtpmap":
		if c, ok := parseRtpmap(a.Value); ok {
			s.names[c.PT] = c
		}
	case "fmtp":
		number, parameters, _ := strings.Cut(a.Value, " ")
		if pt, ok := parsePT(number); ok {
			s.parameters[pt] = strings.TrimSpace(parameters)
		} else {
			known = false // of a format that is no payload type
		}
	case "ptime":
		m.Ptime = parseMilliseconds(a.Value)
	case "maxptime":
		m.Maxptime = parseMilliseconds(a.Value)
	case "rtcp":
		m.RTCPPort, m.RTCP = parseRTCP(strings.Fields(a.Value))
	case "crypto":
		var c Crypto
		if c, known = parseCrypto(a.Value); known {
			m.Crypto = append(m.Crypto, c)
		}
	default:
		if m.Direction, known = directionOr(m.Direction, a.Key); known {
			s.hasOwn = true
		}
	}
	if !known {
		m.Attributes = append(m.Attributes, a)
	}
}

// directionOr reads a direction's word; any other leaves d as it is.
func directionOr(d Direction, word string) (Direction, bool) {
	if read, ok := ParseDirection(strings.ToLower(word)); ok {
		return read, true
	}
	return d, false
}

// parseOrigin reads from the right, since the user name may hold blanks.
func parseOrigin(value string) Origin {
	f := strings.Fields(value)
	n := len(f)
	if n < 6 {
		f = append(f, make([]string, 6-n)...) // what is missing is ""
		return Origin{Username: f[0], SessionID: f[1], Version: f[2], Address: f[5]}
	}
	return Origin{Username: strings.Join(f[:n-5], " "), SessionID: f[n-5], Version: f[n-4], Address: f[n-1]}
}

// parseConnection reads `IN IP4 192.0.2.1/127`; the zero value when it is not.
func parseConnection(fields []string) Connection {
	if len(fields) < 3 {
		return Connection{}
	}
	address, _, _ := strings.Cut(fields[2], "/")
	if address == "" {
		return Connection{}
	}
	return Connection{Type: strings.ToUpper(fields[1]), Address: address}
}

// parseMedia reads `audio 49170/2 RTP/AVP 0 8`. Formats may be missing.
func parseMedia(value string) (Media, error) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return Media{}, fmt.Errorf("%w: %.80q, want type, port and protocol", ErrMediaLine, value)
	}
	number, _, _ := strings.Cut(f[1], "/")
	port, ok := parsePort(number)
	if !ok {
		return Media{}, fmt.Errorf("%w: %.80q, want a port from 0 to 65535", ErrMediaLine, value)
	}
	return Media{Type: strings.ToLower(f[0]), Port: port, Proto: f[2], Formats: f[3:]}, nil
}

// parseRtpmap reads `97 iLBC/8000/1`. A missing clock rate is 8000, which is
// what the phones that forget it mean.
func parseRtpmap(value string) (Codec, bool) {
	number, encoding, ok := strings.Cut(value, " ")
	pt, valid := parsePT(number)
	parts := strings.Split(strings.TrimSpace(encoding), "/")
	if !ok || !valid || parts[0] == "" {
		return Codec{}, false
	}
	c := Codec{PT: pt, Name: parts[0], ClockRate: 8000, Channels: 1}
	if len(parts) > 1 {
		rate, err := strconv.Atoi(strings.TrimSpace(parts[1]))
		if err != nil || rate <= 0 {
			return Codec{}, false
		}
		c.ClockRate = rate
	}
	if len(parts) > 2 {
		if channels, err := strconv.Atoi(strings.TrimSpace(parts[2])); err == nil && channels > 0 {
			c.Channels = channels
		}
	}
	return c, true
}

// parseRTCP reads `53020 IN IP4 192.0.2.1`, whose address may be missing.
func parseRTCP(fields []string) (int, Connection) {
	if len(fields) == 0 {
		return 0, Connection{}
	}
	port, ok := parsePort(fields[0])
	if !ok || port == 0 {
		return 0, Connection{}
	}
	return port, parseConnection(fields[1:])
}

// parseCrypto reads `1 AES_CM_128_HMAC_SHA1_80 inline:… KDR=1`.
func parseCrypto(value string) (Crypto, bool) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return Crypto{}, false
	}
	tag, err := strconv.Atoi(f[0])
	return Crypto{Tag: tag, Suite: f[1], Keys: f[2], Params: strings.Join(f[3:], " ")}, err == nil && tag >= 0
}

func parsePT(s string) (uint8, bool) {
	n, err := strconv.ParseUint(s, 10, 7)
	return uint8(n), err == nil
}

func parsePort(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil
}

// parseMilliseconds reads `20` and `20.0`; 0 when it is no sensible duration.
func parseMilliseconds(s string) int {
	whole, _, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(whole, 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}
