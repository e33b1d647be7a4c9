package diagnose

import (
	"bytes"
	"strconv"
	"strings"

	"ringmaster/proto/phone"
)

// Message is one SIP message of a phone's log, taken apart. What the message
// does not have, or what cannot be read, is "" or nil.
type Message struct {
	phone.SIPMessage
	PhoneID phone.ID

	Method     string // of the CSeq, else of the request line
	RequestURI string // of a request
	Status     int    // of a response; 0 is a request
	Reason     string // of a response
	CSeq       *uint32
	Headers    []Header // in the order of the message
	Body       []byte
}

// Header is one header line.
type Header struct {
	Name  string // canonical: "Call-ID", whatever was written
	Value string // unfolded
}

// Read takes a message apart. Its Raw is shared with m.
func Read(id phone.ID, m phone.SIPMessage) Message {
	r := Message{SIPMessage: m, PhoneID: id}
	head, body := split(m.Raw)
	lines := unfold(string(head))
	r.startLine(lines[0])
	for _, line := range lines[1:] {
		if name, value, ok := strings.Cut(line, ":"); ok {
			r.Headers = append(r.Headers, Header{Canonical(strings.TrimSpace(name)), strings.TrimSpace(value)})
		}
	}
	if n, err := strconv.Atoi(r.Header("Content-Length")); err == nil && n >= 0 && n < len(body) {
		body = body[:n]
	}
	r.Body = body
	r.sequence(strings.Fields(r.Header("CSeq")))
	return r
}

// sequence takes the number and the method of the CSeq.
func (m *Message) sequence(fields []string) {
	if len(fields) == 0 {
		return
	}
	if n, err := strconv.ParseUint(fields[0], 10, 32); err == nil {
		cseq := uint32(n)
		m.CSeq = &cseq
	}
	if len(fields) > 1 {
		m.Method = strings.ToUpper(fields[1])
	}
}

// Header is the value of the first header of that canonical name, or "".
func (m Message) Header(name string) string {
	for _, h := range m.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

// IsRequest tells requests from responses.
func (m Message) IsRequest() bool { return m.Status == 0 }

// split divides a message at its first empty line.
func split(raw []byte) (head, body []byte) {
	raw = bytes.TrimLeft(raw, "\r\n") // RFC 3261 §7.5
	end, bare := []byte("\r\n\r\n"), []byte("\n\n")
	if at := bytes.Index(raw, bare); at >= 0 && !bytes.Contains(raw[:at], end) {
		end = bare
	}
	head, body, _ = bytes.Cut(raw, end)
	return head, body
}

// unfold gives the lines of a message's head, a line that was continued as one
// (RFC 3261 §7.3.1). There is always a first one.
func unfold(head string) []string {
	var lines []string
	for _, line := range strings.Split(head, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if continued := strings.TrimLeft(line, " \t"); continued != line && len(lines) > 1 {
			lines[len(lines)-1] += " " + continued
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

func (m *Message) startLine(line string) {
	first, rest, _ := strings.Cut(line, " ")
	second, third, _ := strings.Cut(rest, " ")
	if status, err := strconv.Atoi(second); err == nil && strings.HasPrefix(strings.ToUpper(first), "SIP/") && status > 0 {
		m.Status, m.Reason = status, third
		return
	}
	m.Method, m.RequestURI = strings.ToUpper(first), second
}
