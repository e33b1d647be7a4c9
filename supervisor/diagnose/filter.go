package diagnose

import "strings"

// Filter says which messages are wanted: those for which everything holds that
// is set. The zero Filter wants all.
type Filter struct {
	CallID string  // the SIP Call-ID; "" is any
	Method string  // requests and the responses to them, in any case; "" is any
	Sent   *bool   // TX; nil is either way
	Status int     // responses of that status; 0 is any message
	CSeq   *uint32 // its number; nil is any
	Text   string  // anywhere in the envelope or the message, in any case; "" is any
}

// Holds says whether a message is wanted.
func (f Filter) Holds(m Message) bool {
	switch {
	case f.CallID != "" && m.Header("Call-ID") != f.CallID,
		f.Method != "" && !strings.EqualFold(m.Method, f.Method),
		f.Sent != nil && m.Sent != *f.Sent,
		f.Status != 0 && m.Status != f.Status,
		f.CSeq != nil && (m.CSeq == nil || *m.CSeq != *f.CSeq):
		return false
	}
	return f.Text == "" || strings.Contains(strings.ToLower(Envelope(m)+"\n"+string(m.Raw)), strings.ToLower(f.Text))
}
