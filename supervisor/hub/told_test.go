package hub

import (
	"fmt"
	"testing"

	"ringmaster/proto/phone"
)

func TestToldIsOfOneCallAndItsPhone(t *testing.T) {
	h := New()
	call := func(c phone.CallID) *phone.CallID { return &c }
	for i, e := range []phone.Event{
		{Type: "phone.started"}, {Type: "reg.success"}, {Type: "call.state.calling", CallID: call(0)}, {Type: "sip.request.invite", CallID: call(0)},
		{Type: "media.started", CallID: call(0)}, {Type: "call.state.calling", CallID: call(1)}, {Type: "phone.exited"}, {Type: "call.state.disconnected", CallID: call(0)},
	} {
		h.Append("a", 1, phone.Entry{Seq: uint64(i + 1), Event: &e})
		h.Append("b", 1, phone.Entry{Seq: uint64(i + 1), Event: &e})
	}
	var got []string
	for _, e := range h.Told("a", 0) {
		got = append(got, e.Type)
	}
	if want := "[phone.started call.state.calling media.started phone.exited call.state.disconnected]"; fmt.Sprint(got) != want {
		t.Errorf("told: %v, want %s", got, want)
	}
	if h.Told("c", 0) != nil {
		t.Error("of a phone that there is not, something is told")
	}
}
