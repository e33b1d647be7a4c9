package diagnose

import (
	"regexp"
	"strconv"
	"strings"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/hub"
)

// Event is a SIP message as an event: sip.request.<method>, in lower case, or
// sip.response.<code>. Its data has direction (TX or RX), method (of the CSeq),
// cseq, status_code and reason or request_uri, headers by canonical name (a
// text, or a list where one came more than once; the first 12 kB; credentials
// without their response), sip_call_id, from and to; null is what the message does not say. It is a hub.Describer.
func Event(id phone.ID, raw phone.SIPMessage, call func(hub.Dialog) *phone.CallID) phone.Event {
	m := Read(id, raw)
	data := map[string]any{
		"direction": "RX", "method": textOrNil(m.Method), "cseq": nil, "headers": headers(m.Headers),
		"sip_call_id": textOrNil(m.Header("Call-ID")), "from": textOrNil(m.Header("From")), "to": textOrNil(m.Header("To")),
	}
	if m.Sent {
		data["direction"] = "TX"
	}
	if m.CSeq != nil {
		data["cseq"] = int64(*m.CSeq)
	}
	kind := "sip.request." + method(m.Method)
	if m.IsRequest() {
		data["request_uri"] = textOrNil(m.RequestURI)
	} else {
		kind = "sip.response." + strconv.Itoa(m.Status)
		data["status_code"], data["reason"] = int64(m.Status), m.Reason
	}
	e := phone.Event{Type: kind, PhoneID: id, Time: m.Time, Data: data}
	if d := m.dialog(); d.SIPCallID != "" {
		e.CallID = call(d)
	}
	return e
}

// dialog is that of the message as the phone sees it: a request carries the tag
// of its sender in From, and so does the response to it.
func (m Message) dialog() hub.Dialog {
	header := "To"
	if m.Sent == m.IsRequest() {
		header = "From"
	}
	return hub.Dialog{SIPCallID: m.Header("Call-ID"), LocalTag: Tag(m.Header(header)), MayBegin: m.Method == "INVITE"}
}

// methodBound is how long a method may be to be named in a type.
const methodBound = 32

// method is a method in the type of an event: a far end may write anything.
func method(m string) string {
	plain := func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' }
	if m == "" || len(m) > methodBound || strings.ContainsFunc(m, func(r rune) bool { return !plain(r) }) {
		return "unknown"
	}
	return strings.ToLower(m)
}

// headerBytes is how much of a message's headers its event shows: a far end may
// write 64 kB of them.
const headerBytes = 12_000

// response is what credentials prove the password by (RFC 7616 §3.4.1). From it
// a weak password can be guessed, and events go into timelines, reports and
// other files that are passed on; the SIP log has it.
var response = regexp.MustCompile(`(?i)([\s,])response\s*=\s*(?:"[^"]*"|[^\s,"]+)`)

// headers gathers headers by name, in the order of the message, as many as
// there is room for.
func headers(list []Header) map[string]any {
	out := make(map[string]any, len(list))
	room := headerBytes
	for _, h := range list {
		if h.Name == "Authorization" || h.Name == "Proxy-Authorization" {
			h.Value = response.ReplaceAllString(h.Value, `${1}response="…"`)
		}
		if room -= len(h.Name) + len(h.Value); room < 0 {
			break
		}
		switch before := out[h.Name].(type) {
		case nil:
			out[h.Name] = h.Value
		case string:
			out[h.Name] = []any{before, h.Value}
		case []any:
			out[h.Name] = append(before, h.Value)
		}
	}
	return out
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
