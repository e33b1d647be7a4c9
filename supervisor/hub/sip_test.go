package hub

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"
)

// message is a SIP message in the words of these tests: type, Call-ID, the
// phone's tag ("-" for none).
func message(seq uint64, text string) phone.Entry {
	return phone.Entry{Seq: seq, SIP: &phone.SIPMessage{Time: time.Now(), Raw: []byte(text)}}
}

func described(id phone.ID, m phone.SIPMessage, call func(Dialog) *phone.CallID) phone.Event {
	words := strings.Fields(string(m.Raw))
	d := Dialog{SIPCallID: words[1], LocalTag: strings.TrimPrefix(words[2], "-"), MayBegin: words[0] == "sip.request.invite"}
	return phone.Event{Type: words[0], PhoneID: id, CallID: call(d)}
}

func callBegins(seq uint64, id phone.CallID, direction, header, tag string) phone.Entry {
	return phone.Entry{Seq: seq, Event: &phone.Event{Type: "call.state.x", CallID: &id, Data: map[string]any{
		"direction": direction, "sip_call_id": header, "local_tag": tag,
	}}}
}

func withCalls(records []Record) []string {
	var out []string
	for _, r := range records {
		call := "-"
		if r.Event.CallID != nil {
			call = fmt.Sprint(*r.Event.CallID)
		}
		out = append(out, cmp.Or(strings.TrimPrefix(r.Event.Type, "sip."), r.Event.Type)+" "+call)
	}
	return out
}

func readSIP(t *testing.T, h *Hub, q Query) []string {
	t.Helper()
	q.Traces, q.SIP = true, described
	records, err := h.Read(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return withCalls(records)
}

func TestSIPMessagesAreEventsOfTheirCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		h.Append("a", 1, message(1, "sip.request.register other tagx"))
		h.Append("a", 1, message(2, "sip.request.invite one tag1"))
		h.Append("a", 1, callBegins(3, 7, "outbound", "one", "tag1"))
		// The phone has called itself: one Call-ID, two calls.
		h.Append("a", 1, message(4, "sip.request.invite one -"))
		h.Append("a", 1, callBegins(5, 8, "inbound", "one", "tag2"))
		h.Append("a", 1, message(6, "sip.response.180 one tag2"))
		h.Append("a", 1, message(7, "sip.response.180 one tag1"))
		h.Append("a", 1, message(8, "sip.request.cancel one -"))
		h.Append("b", 1, message(1, "sip.request.invite one -")) // of another phone
		h.Append("b", 1, callBegins(2, 1000, "inbound", "one", "tag1"))
		want := []string{
			"request.register -", "request.invite 7", "call.state.x 7", "request.invite 8", "call.state.x 8",
			"response.180 8", "response.180 7", "request.cancel 8", "request.invite 1000", "call.state.x 1000",
		}
		if got := readSIP(t, h, Query{}); !slices.Equal(got, want) {
			t.Errorf("%q\nwant %q", got, want)
		}
	})
}

func TestOnlyWhoAsksForSIPGetsIt(t *testing.T) {
	h := New()
	h.Append("a", 1, message(1, "sip.request.register other tagx"))
	h.Append("a", 1, event(2, "media.started"))
	h.Append("a", 1, event(3, "reg.success"))
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{}, "reg.success -"},
		{Query{Traces: true}, "media.started -,reg.success -"},
		{Query{SIP: described}, "reg.success -"},
	} {
		records, err := h.Read(t.Context(), c.q)
		if got := strings.Join(withCalls(records), ","); err != nil || got != c.want {
			t.Errorf("%+v: %s, %v; want %s", c.q, got, err, c.want)
		}
	}
}

// A reader who does not ask is not even woken.
func TestSIPDoesNotWakeOthers(t *testing.T) {
	h := New()
	_, state := h.take(Query{Max: 1})
	_, trace := h.take(Query{Max: 1, Traces: true})
	h.Append("a", 1, message(1, "sip.request.register other tagx"))
	select {
	case <-state:
		t.Error("a reader of states was woken")
	default:
	}
	select {
	case <-trace:
	default:
		t.Error("a reader of traces was not woken")
	}
}

func TestAnINVITEWaitsForItsCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		read := func(after uint64) <-chan []string {
			got := make(chan []string, 1)
			go func() { got <- readSIP(t, h, Query{After: after, Max: 1}) }()
			synctest.Wait()
			return got
		}
		h.Append("a", 1, message(1, "sip.request.invite one -"))
		first := read(0)
		h.Append("a", 1, event(2, "reg.success"))
		synctest.Wait()
		select {
		case got := <-first:
			t.Fatalf("%q came before its call was known", got)
		default:
		}
		h.Append("a", 1, callBegins(3, 5, "inbound", "one", "t"))
		if got := <-first; got[0] != "request.invite 5" {
			t.Errorf("%q", got)
		}

		// No call comes of this one.
		began, position := time.Now(), h.Position()
		h.Append("a", 1, message(4, "sip.request.invite two -"))
		if got := <-read(position); got[0] != "request.invite -" || time.Since(began) != callKnownWithin {
			t.Errorf("%q after %v", got, time.Since(began))
		}
		began = time.Now()
		if got := <-read(position); got[0] != "request.invite -" || time.Since(began) != 0 {
			t.Errorf("an old one: %q after %v", got, time.Since(began))
		}
		// And a reader who gives up gets it as it is.
		h.Append("a", 1, message(5, "sip.request.invite three -"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if records, err := h.Read(ctx, Query{After: position + 1, Traces: true, SIP: described}); err != nil || time.Since(began) != 0 {
			t.Errorf("%v, %v after %v", records, err, time.Since(began))
		}
	})
}

func TestAMarkHidesSIPMessagesToo(t *testing.T) {
	h := New()
	h.Append("a", 1, event(1, "reg.success"))
	cursor := h.Accepted(h.Mark("a"), 2)
	h.Append("a", 1, message(2, "sip.request.bye one t")) // before the command, late
	h.Append("a", 1, message(3, "sip.request.info one t"))
	if got := readSIP(t, h, Query{After: cursor}); !slices.Equal(got, []string{"request.info -"}) {
		t.Errorf("%q", got)
	}
}

func TestForgottenCallsAreForgottenByCallIDToo(t *testing.T) {
	h := New()
	for i := range SIPLogBound + 10 {
		h.Append("a", 1, callBegins(uint64(i+1), phone.CallID(i), "outbound", fmt.Sprint("call ", i/2), fmt.Sprint(i)))
	}
	m := h.phones["a"]
	n := 0
	for _, calls := range m.sipIDs {
		n += len(calls)
	}
	if n != SIPLogBound || len(m.sipCalls) != SIPLogBound || len(m.sipIDs) != SIPLogBound/2 {
		t.Errorf("%d calls, %d Call-IDs with %d calls", len(m.sipCalls), len(m.sipIDs), n)
	}
}
