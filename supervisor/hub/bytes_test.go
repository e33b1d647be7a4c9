package hub

import (
	"fmt"
	"strings"
	"testing"

	"ringmaster/proto/phone"
)

// A far end decides how long its messages are, so their number is no bound.
func TestWhatIsKeptIsBoundedByBytes(t *testing.T) {
	h := New()
	text := strings.Repeat("x", 60_000)
	const n = 3000
	for i := range n {
		c := phone.CallID(i)
		h.Append("a", 1, phone.Entry{SIP: &phone.SIPMessage{Raw: []byte(text)}})
		h.Append("a", 1, phone.Entry{Inbox: &phone.Message{Body: text}})
		h.Append("a", 1, phone.Entry{Ended: &phone.CallInfo{CallID: c, RemoteURI: text, SIPCallID: fmt.Sprint(i, text)}})
		h.Append("a", 1, phone.Entry{Event: &phone.Event{Type: "im.received", Data: map[string]any{"body": text}}})
		h.Append("a", 1, phone.Entry{Event: &phone.Event{Type: "sip.request.message", Data: map[string]any{"body": text}}})
	}
	held := func(what string, entries []phone.Entry, bound int) {
		bytes := 0
		for _, e := range entries {
			bytes += e.Size()
		}
		if bytes > bound || bytes < bound-200_000 {
			t.Errorf("%s: %d bytes, bound %d", what, bytes, bound)
		}
	}
	var sip, inbox, ended, states, traces []phone.Entry
	for _, m := range h.SIPLog("a") {
		sip = append(sip, phone.Entry{SIP: &m})
	}
	for _, m := range h.Inbox("a") {
		inbox = append(inbox, phone.Entry{Inbox: &m})
	}
	for _, i := range h.History("a") {
		ended = append(ended, phone.Entry{Ended: &i})
	}
	records, _ := h.take(Query{Max: 10 * n, Traces: true, SIP: described})
	if records[0].Gap == nil {
		t.Errorf("the first record is %+v", records[0])
	}
	for _, r := range records[1:] {
		if r.isTrace() {
			traces = append(traces, phone.Entry{Event: r.Event, SIP: r.SIP})
		}
	}
	records, _ = h.take(Query{Max: 10 * n})
	for _, r := range records[1:] {
		states = append(states, phone.Entry{Event: r.Event})
	}
	held("SIP log", sip, sipLogBytes)
	held("inbox", inbox, inboxBytes)
	held("history", ended, historyBytes)
	held("traces", traces, eventBytes)
	held("states", states, eventBytes)
	if m := h.phones["a"]; len(m.sipCalls) != m.sipOrder.len() || len(m.sipCalls)*60_000 > sipCallBytes {
		t.Errorf("%d Call-IDs are kept", len(m.sipCalls))
	}
	if _, ok := h.SIPCallID(n - 1); !ok {
		t.Error("the newest Call-ID is not kept")
	}
}
