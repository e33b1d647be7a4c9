package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"
)

// happens puts an event into the journal of a phone.
func happens(s *Set, id phone.ID, seq uint64, kind string, call *phone.CallID, data map[string]any) {
	s.o.Hub.Append(id, 1, phone.Entry{Seq: seq, Event: &phone.Event{
		Type: kind, PhoneID: id, CallID: call, Time: now.Add(time.Duration(seq) * time.Microsecond), Data: data,
	}})
}

// sips puts a SIP message into the journal of a phone.
func sips(s *Set, id phone.ID, seq uint64, sent bool, text string) {
	s.o.Hub.Append(id, 1, phone.Entry{Seq: seq, SIP: &phone.SIPMessage{
		Time: now.Add(time.Duration(seq) * time.Microsecond), Sent: sent, Raw: []byte(strings.ReplaceAll(text, "\n", "\r\n")),
	}})
}

func TestWaitForEvent(t *testing.T) {
	pin(t, "wait_for_event", func(a *answers) {
		f := newFake("a", "b")
		s := newSet(f)
		s.o.HostPaths = []HostPath{{Inside: "/recordings", Host: "/host"}}
		zero, thousand := phone.CallID(0), phone.CallID(1000)
		happens(s, "a", 1, "reg.success", nil, map[string]any{"status_code": int64(200)})
		happens(s, "a", 2, "call.state.calling", &zero, map[string]any{"state": "calling"})
		happens(s, "b", 1, "call.state.incoming", &thousand, map[string]any{"state": "incoming", "remote_uri": "\x1b[2J\u202e<sip:a@h>"})
		happens(s, "b", 2, "dtmf.in", &thousand, map[string]any{"digit": "1", "method": "rfc4733"})
		happens(s, "b", 3, "dtmf.in", &thousand, map[string]any{"digit": "2", "method": "rfc4733"})
		happens(s, "a", 3, "media.play_ended", &zero, map[string]any{"file": "/recordings/x.wav"})
		happens(s, "a", 4, "call.state.disconnected", &zero, map[string]any{"last_status": int64(486), "last_status_text": "Busy Here"})
		a.add(s, "the first digit", `{"type": "dtmf.in", "after": 0, "timeout_ms": 0}`)
		a.add(s, "the digit after it", `{"type": "dtmf.in", "after": 4, "timeout_ms": 0}`)
		a.add(s, "a family, at a phone, with a hostile name", `{"type": "call.state.*", "phone_id": "b", "after": 0, "timeout_ms": 0}`)
		a.add(s, "an event without a call", `{"type": "reg.*", "after": 0, "timeout_ms": 0}`)
		a.add(s, "on call 0, matched by class", `{"type": "*", "call_id": 0, "match": {"last_status": "4xx"}, "after": 0, "timeout_ms": 0}`)
		a.add(s, "one of two, and a regular expression", `{"type": "call.state.disconnected", "match": {"last_status": [480, 486], "last_status_text": "~(?i)^busy"}, "after": 0, "timeout_ms": 0}`)
		a.add(s, "a path, as the client sees it", `{"type": "media.*", "match": {"file": "/host/x.wav"}, "after": 0, "timeout_ms": 0}`)
		a.add(s, "* is not for what comes in masses", `{"type": "*", "match": {"type": "media.play_ended"}, "after": 0, "timeout_ms": 0}`)
		sips(s, "b", 4, false, "INVITE sip:b@h SIP/2.0\nFrom: <sip:a@h>;tag=1\nTo: <sip:b@h>\nCall-ID: x@h\nCSeq: 1 INVITE\nX-Ward: 7\nVia: 1\nVia: 2\n\n")
		happens(s, "b", 5, "call.state.incoming", &thousand, map[string]any{"sip_call_id": "x@h", "local_tag": "2", "direction": "inbound"})
		sips(s, "b", 6, true, "SIP/2.0 486 Busy \x1b[2JHere\nFrom: <sip:a@h>;tag=1\nTo: <sip:b@h>;tag=2\nCall-ID: x@h\nCSeq: 1 INVITE\n\n")
		a.add(s, "a SIP request, by a header of its own", `{"type": "sip.request.*", "match": {"headers.x-ward": "7", "headers.Via": "2"}, "after": 0, "timeout_ms": 0}`)
		a.add(s, "a SIP response of a call", `{"type": "sip.response.486", "call_id": 1000, "match": {"direction": "TX", "status_code": "4xx"}, "after": 0, "timeout_ms": 0}`)
		a.add(s, "a SIP request that did not come", `{"type": "sip.request.bye", "after": 0, "timeout_ms": 0}`)
		a.add(s, "nothing from now on", `{"type": "dtmf.in", "timeout_ms": 0}`)
		a.add(s, "in vain, at a phone and on a call that nobody knows", `{"type": "dtmf.in", "phone_id": "c", "call_id": 77, "after": 0, "timeout_ms": 0}`)
		s.o.Hub.Append("b", 1, phone.Entry{Seq: 9, Gap: &phone.Gap{From: 4, To: 9}})
		a.add(s, "what was lost may have been it", `{"type": "im.received", "after": 0, "timeout_ms": 0}`)
		a.add(s, "another phone's call", `{"type": "dtmf.in", "phone_id": "a", "call_id": 1000}`)
		a.add(s, "an unknown type", `{"type": "call.state.confirmd"}`)
		a.add(s, "a match that cannot be", `{"type": "dtmf.in", "match": {"digit": "~("}}`)
		a.add(s, "a cursor of another server", `{"type": "dtmf.in", "after": 99}`)
		a.add(s, "too long, and no object", `{"type": "dtmf.in", "timeout_ms": 300001, "match": "1"}`)
		a.add(s, "no type", `{}`)
	})
}

// answered is the part of an answer that the tests below look at.
type answered struct {
	Status, Error string
	Event         *struct{ Type string }
	TimedOut      bool `json:"timed_out"`
	Cursor        uint64
}

// waits calls wait_for_event beside the test.
func waits(ctx context.Context, t *testing.T, s *Set, arguments string) <-chan answered {
	tool := find(t, s, "wait_for_event")
	done := make(chan answered, 1)
	go func() {
		var got answered
		if err := json.Unmarshal(tool.Call(ctx, json.RawMessage(arguments)).JSON, &got); err != nil {
			t.Error(err)
		}
		done <- got
	}()
	return done
}

func TestWaitForWhatIsYetToHappen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(newFake("a"))
		happens(s, "a", 1, "dtmf.in", nil, nil) // before
		done := waits(t.Context(), t, s, `{"type": "dtmf.in", "match": {"digit": 2}}`)
		synctest.Wait()
		happens(s, "a", 2, "dtmf.in", nil, map[string]any{"digit": "1"})
		synctest.Wait()
		happens(s, "a", 3, "dtmf.in", nil, map[string]any{"digit": "2"})
		if got := <-done; got.Event == nil || got.TimedOut || got.Cursor != 3 {
			t.Errorf("answered %+v, want the third event", got)
		}
	})
}

func TestWaitEndsAfterItsTimeAndGoesOnAfterWhatItSaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(newFake("a"))
		began := time.Now()
		done := waits(t.Context(), t, s, `{"type": "dtmf.in"}`)
		synctest.Wait()
		happens(s, "a", 1, "reg.success", nil, nil)
		got := <-done
		if got.Status != "ok" || !got.TimedOut || got.Event != nil || got.Cursor != 1 {
			t.Errorf("answered %+v, want timed_out at cursor 1", got)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v, want the default of 10 s", took)
		}
	})
}

func TestWaitStopsWhenItIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(newFake("a"))
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		done := waits(ctx, t, s, `{"type": "dtmf.in", "timeout_ms": 300000}`)
		synctest.Wait()
		cancel()
		if got := <-done; !strings.Contains(got.Error, "cancelled") || time.Since(began) != 0 {
			t.Errorf("answered %+v after %v", got, time.Since(began))
		}
	})
}

// "Do this, then wait for what it caused" has no race: what the phone had done
// before it accepted the command is not found, however late it comes in.
func TestWaitAfterACommandFindsOnlyWhatCameOfIt(t *testing.T) {
	f := newFake("a")
	s := newSet(f)
	happens(s, "a", 1, "reg.success", nil, nil)
	accepted := onCall(phone.CallOutcome{CallID: 0, Digits: "1"})
	accepted.Cursor = 2
	f.outcomes["phone.SendDTMF"] = accepted
	s.o.Hub.NoteCall("a", 0)
	var sent answered
	if err := json.Unmarshal(find(t, s, "send_dtmf").Call(t.Context(), json.RawMessage(`{"call_id": 0, "digits": "1"}`)).JSON, &sent); err != nil {
		t.Fatal(err)
	}
	happens(s, "a", 2, "dtmf.out", nil, map[string]any{"digits": "before"})
	happens(s, "a", 3, "dtmf.out", nil, map[string]any{"digits": "after"})
	answer := find(t, s, "wait_for_event").Call(t.Context(), json.RawMessage(fmt.Sprintf(`{"type": "dtmf.out", "after": %d, "timeout_ms": 0}`, sent.Cursor)))
	if !strings.Contains(string(answer.JSON), `"digits":"after"`) {
		t.Errorf("waited for what the command caused, got %s", answer.JSON)
	}
}
