package diagnose

import (
	"fmt"
	"strings"
)

// ClockLayout is how a log writes the time of day, in UTC.
const ClockLayout = "15:04:05.000"

// Envelope is the line that a log writes above a message:
//
//	12:00:00.123 TX 480 bytes Request msg INVITE/cseq=12 to UDP 127.0.0.1:5060:
//	12:00:00.456 RX 530 bytes Response msg 200/INVITE/cseq=12 from UDP 127.0.0.1:5060:
//
// What the message does not say is a question mark.
func Envelope(m Message) string {
	direction, way := "RX", "from"
	if m.Sent {
		direction, way = "TX", "to"
	}
	what := "Request msg "
	if !m.IsRequest() {
		what = fmt.Sprintf("Response msg %d/", m.Status)
	}
	method, cseq := m.Method, "?"
	if method == "" {
		method = "?"
	}
	if m.CSeq != nil {
		cseq = fmt.Sprint(*m.CSeq)
	}
	return fmt.Sprintf("%s %s %d bytes %s%s/cseq=%s %s %s %s:",
		m.Time.UTC().Format(ClockLayout), direction, len(m.Raw), what, method, cseq, way, strings.ToUpper(string(m.Transport)), m.Remote)
}
