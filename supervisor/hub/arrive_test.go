package hub

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"ringmaster/proto/phone"
)

func sipMessage(seq uint64) phone.Entry { return phone.Entry{Seq: seq, SIP: &phone.SIPMessage{}} }

// arrives starts a wait and says whether it is over.
func arrives(ctx context.Context, h *Hub, m Mark, cursor uint64) func() bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = h.Arrived(ctx, m, cursor)
	}()
	return func() bool {
		synctest.Wait()
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}

func TestArrivedWaitsForEveryKindOfEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		h.Append("a", 1, event(1, "reg.started"))
		over := arrives(t.Context(), h, h.Mark("a"), 3)
		h.Append("a", 1, sipMessage(2))
		h.Append("b", 1, sipMessage(9))
		h.Append("a", 1, phone.Entry{Event: &phone.Event{Type: "phone.started"}}) // the fleet's own word
		if over() {
			t.Error("it is over before entry 3 has come in")
		}
		h.Append("a", 1, sipMessage(3))
		if !over() {
			t.Error("entry 3 has come in and it is not over")
		}
	})
}

func TestArrivedDoesNotWaitForADeadWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		h.Append("a", 1, event(1, "reg.started"))
		over := arrives(t.Context(), h, h.Mark("a"), 3)
		if over() {
			t.Error("it is over at once")
		}
		h.Append("a", 2, event(1, "reg.started"))
		if !over() {
			t.Error("a new worker is there and it is not over")
		}
	})
}

func TestArrivedAtAPhoneOfWhichNothingIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		if err := h.Arrived(t.Context(), h.Mark("a"), 0); err != nil {
			t.Error(err)
		}
		over := arrives(t.Context(), h, h.Mark("a"), 1)
		if over() {
			t.Error("it is over before the first entry")
		}
		h.Append("a", 1, sipMessage(1))
		if !over() {
			t.Error("it is not over after the first entry")
		}
	})
}

func TestArrivedEndsWithItsContext(t *testing.T) {
	h := New()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Arrived(ctx, h.Mark("a"), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Arrived = %v", err)
	}
}

func TestTheCallIDsOfTheNewestCallsAreKept(t *testing.T) {
	h := New()
	h.Append("a", 1, phone.Entry{Seq: 1, Event: &phone.Event{Type: "call.state.calling", CallID: new(phone.CallID), Data: map[string]any{"sip_call_id": "x@h"}}})
	h.Append("b", 1, phone.Entry{Seq: 1, Ended: &phone.CallInfo{CallID: 1000, SIPCallID: "y@h"}})
	for c, want := range map[phone.CallID]string{0: "x@h", 1000: "y@h", 7: ""} {
		if got, known := h.SIPCallID(c); got != want || known != (want != "") {
			t.Errorf("call %d has the Call-ID %q, %v, want %q", c, got, known, want)
		}
	}
	for i := range SIPLogBound {
		h.Append("a", 1, phone.Entry{Ended: &phone.CallInfo{CallID: phone.CallID(i + 1), SIPCallID: "z"}})
	}
	if _, known := h.SIPCallID(0); known || len(h.phones["a"].sipCalls) != SIPLogBound {
		t.Errorf("%d Call-IDs are kept, the oldest among them: %v", len(h.phones["a"].sipCalls), known)
	}
}
