package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var day = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func event(seq uint64, kind string, call ...phone.CallID) phone.Entry {
	e := &phone.Event{Type: kind, Time: day}
	if len(call) > 0 {
		e.CallID = &call[0]
	}
	return phone.Entry{Seq: seq, Event: e}
}

func kinds(records []Record) []string {
	var out []string
	for _, r := range records {
		switch {
		case r.Gap != nil:
			out = append(out, fmt.Sprintf("gap %d-%d", r.Gap.From, r.Gap.To))
		default:
			out = append(out, string(r.PhoneID)+" "+r.Event.Type)
		}
	}
	return out
}

func read(t *testing.T, h *Hub, q Query) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // what is not there now does not come
	records, err := h.Read(ctx, q)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return kinds(records)
}

func TestReadMergesStateAndTracesInOrder(t *testing.T) {
	h := New()
	h.Append("a", 1, event(1, "reg.started"))
	h.Append("a", 1, event(2, "sip.request.register"))
	h.Append("b", 1, event(1, "reg.success"))
	h.Append("b", 1, event(2, "media.started"))

	if got, want := read(t, h, Query{}), []string{"a reg.started", "b reg.success"}; !slices.Equal(got, want) {
		t.Errorf("state events: %v, want %v", got, want)
	}
	all := []string{"a reg.started", "a sip.request.register", "b reg.success", "b media.started"}
	if got := read(t, h, Query{Traces: true}); !slices.Equal(got, all) {
		t.Errorf("all events: %v, want %v", got, all)
	}
	if got := read(t, h, Query{Traces: true, After: 1, Max: 2}); !slices.Equal(got, all[1:3]) {
		t.Errorf("two after 1: %v, want %v", got, all[1:3])
	}
}

func TestOvertakenReaderGetsOneGap(t *testing.T) {
	h := newBounded(3, 2, 8)
	for seq := range uint64(5) {
		h.Append("a", 1, event(seq+1, fmt.Sprintf("user.%d", seq+1)))
	}
	if got, want := read(t, h, Query{}), []string{"gap 1-2", "a user.3", "a user.4", "a user.5"}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
	if got, want := read(t, h, Query{After: 3}), []string{"a user.4", "a user.5"}; !slices.Equal(got, want) {
		t.Errorf("a reader in time read %v, want %v", got, want)
	}
}

func TestTracesNeverOverwriteStates(t *testing.T) {
	h := newBounded(3, 2, 8)
	h.Append("a", 1, event(1, "reg.success"))
	for seq := range uint64(100) {
		h.Append("a", 1, event(seq+2, "sip.request.options"))
	}
	if got, want := read(t, h, Query{}), []string{"a reg.success"}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func TestAFullRingThatLostNothingHasNoGap(t *testing.T) {
	h := newBounded(2, 2, 8)
	h.Append("a", 1, event(1, "sip.request.options"))
	h.Append("a", 1, event(2, "user.1"))
	h.Append("a", 1, event(3, "user.2"))
	if got, want := read(t, h, Query{}), []string{"a user.1", "a user.2"}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func TestReadWakesWithTheNextEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		got := make(chan []string)
		go func() {
			records, _ := h.Read(t.Context(), Query{After: h.Position()})
			got <- kinds(records)
		}()
		synctest.Wait()
		h.Append("a", 1, event(1, "im.received"))
		if g, want := <-got, []string{"a im.received"}; !slices.Equal(g, want) {
			t.Errorf("read %v, want %v", g, want)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		h.Append("a", 1, event(1, "reg.failed"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := h.Wait(ctx, Query{}, func(r Record) bool { return r.Event.Type == "reg.success" })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait = %v, want the deadline's error", err)
		}
	})
}

// The journals of two phones reach the hub side by side: b's reaction may come
// in before what a had done before it was told.
func TestMarkDividesBeforeFromAfterOnEveryPhone(t *testing.T) {
	h := New()
	h.Append("a", 1, event(1, "reg.success"))
	m := h.Mark("a")
	h.Append("b", 1, event(1, "call.state.incoming", 1000)) // because of the command
	h.Append("a", 1, event(2, "dtmf.in"))                   // before the command, late
	h.Append("a", 1, event(3, "call.state.calling", 0))     // because of the command
	cursor := h.Accepted(m, 2)
	want := []string{"b call.state.incoming", "a call.state.calling"}
	if got := read(t, h, Query{After: cursor}); !slices.Equal(got, want) {
		t.Errorf("after the command: %v, want %v", got, want)
	}
}

func TestWaitFromAMarkSkipsWhatComesLate(t *testing.T) {
	h := New()
	h.Append("a", 1, event(1, "reg.success"))
	cursor := h.Accepted(h.Mark("a"), 2)
	h.Append("b", 1, event(1, "user.other"))
	seen := make(chan struct{}, 1)
	got := make(chan Record)
	go func() {
		r, _ := h.Wait(t.Context(), Query{After: cursor}, func(r Record) bool {
			seen <- struct{}{}
			return r.Event.Type == "call.state.disconnected"
		})
		got <- r
	}()
	<-seen
	h.Append("a", 1, event(2, "call.state.disconnected", 7)) // before the command
	h.Append("a", 1, event(3, "call.state.disconnected", 8))
	if r := <-got; *r.Event.CallID != 8 {
		t.Errorf("waited for the end of call 8, got that of %d", *r.Event.CallID)
	}
}

func TestMarksAreBounded(t *testing.T) {
	h := newBounded(8, 8, 2)
	for range 5 {
		h.Accepted(h.Mark("a"), 1)
	}
	if len(h.marks) != 2 {
		t.Errorf("%d marks are kept, want 2", len(h.marks))
	}
}

func TestMarkOfADeadWorkerHidesNothingOfItsSuccessor(t *testing.T) {
	h := New()
	h.Append("a", 1, event(9, "reg.success"))
	m := h.Mark("a")
	cursor := h.Accepted(m, 9)
	h.Append("a", 2, event(1, "reg.started"))
	if got, want := read(t, h, Query{After: cursor}), []string{"a reg.started"}; !slices.Equal(got, want) {
		t.Errorf("after the command: %v, want %v", got, want)
	}
}

func TestWhoseACallIs(t *testing.T) {
	h := New()
	h.Append("a", 1, event(1, "call.state.calling", 0))
	h.Append("b", 1, event(1, "call.state.incoming", 1000))
	h.Append("b", 1, event(2, "call.state.incoming", 1002))
	h.NoteCall("b", 1001)
	for c, want := range map[phone.CallID]phone.ID{0: "a", 1: "", 999: "", 1000: "b", 1001: "b", 1002: "b", 1003: ""} {
		if got, _ := h.Owner(c); got != want {
			t.Errorf("call %d is of %q, want %q", c, got, want)
		}
	}
	if spans := h.phones["b"].known; len(spans) != 1 {
		t.Errorf("three calls in a row are kept as %v, want one span", spans)
	}
}

func TestKeepsTheNewestOfEachPhone(t *testing.T) {
	h := New()
	for i := range SIPLogBound + 2 {
		h.Append("a", 1, phone.Entry{Seq: uint64(i + 1), SIP: &phone.SIPMessage{Raw: fmt.Append(nil, i)}})
	}
	for i := range HistoryBound + 2 {
		h.Append("a", 1, phone.Entry{Ended: &phone.CallInfo{CallID: phone.CallID(i)}})
		h.Append("a", 1, phone.Entry{Inbox: &phone.Message{Body: fmt.Sprint(i)}})
	}
	log, history, inbox := h.SIPLog("a"), h.History("a"), h.Inbox("a")
	if len(log) != SIPLogBound || string(log[0].Raw) != "2" {
		t.Errorf("%d messages from %s, want %d from 2", len(log), log[0].Raw, SIPLogBound)
	}
	if len(history) != HistoryBound || history[0].CallID != 2 {
		t.Errorf("%d calls from %d, want %d from 2", len(history), history[0].CallID, HistoryBound)
	}
	if len(inbox) != InboxBound || inbox[0].Body != "2" {
		t.Errorf("%d texts from %s, want %d from 2", len(inbox), inbox[0].Body, InboxBound)
	}
	if log, history, inbox := h.SIPLog("b"), h.History("b"), h.Inbox("b"); len(log)+len(history)+len(inbox) != 0 {
		t.Errorf("something is kept of a phone that never was")
	}
}

// A worker's Ended entry comes before the event; its death after that adds
// nothing.
func TestACallIsInTheHistoryOnce(t *testing.T) {
	h := New()
	h.Append("a", 1, phone.Entry{Seq: 1, Ended: &phone.CallInfo{CallID: 4, Codec: "PCMA"}})
	h.Append("a", 1, event(2, "call.state.disconnected", 4))
	h.Append("a", 1, event(0, "phone.exited"))
	if got := h.History("a"); len(got) != 1 || got[0].Codec != "PCMA" {
		t.Errorf("history %+v, want call 4 once", got)
	}
}
