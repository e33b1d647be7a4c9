package phone

import (
	"strings"
	"testing"
)

// What a far end can make long counts, wherever it stands.
func TestSizeCountsTexts(t *testing.T) {
	const long = 50_000
	text := strings.Repeat("x", long)
	for name, e := range map[string]Entry{
		"a SIP message":          {SIP: &SIPMessage{Raw: []byte(text)}},
		"a MESSAGE":              {Inbox: &Message{Body: text}},
		"its From":               {Inbox: &Message{From: text}},
		"a call":                 {Ended: &CallInfo{RemoteURI: text}},
		"a reason":               {Ended: &CallInfo{LastStatusText: text}},
		"an event":               {Event: &Event{Data: map[string]any{"body": text}}},
		"an event's key":         {Event: &Event{Data: map[string]any{text: nil}}},
		"a header of two values": {Event: &Event{Data: map[string]any{"headers": map[string]any{"X": []any{"", text}}}}},
	} {
		if got := e.Size(); got < long || got > long+2000 {
			t.Errorf("%s: %d bytes", name, got)
		}
	}
	for name, e := range map[string]Entry{
		"a gap": {Gap: &Gap{}}, "an event": {Event: &Event{Data: map[string]any{"state": "early"}}}, "a call": {Ended: &CallInfo{}},
	} {
		if got := e.Size(); got < 100 || got > 1000 {
			t.Errorf("%s without texts: %d bytes", name, got)
		}
	}
}
