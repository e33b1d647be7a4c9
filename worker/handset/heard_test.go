package handset

import (
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// The end of a call tells what was heard and sent, as its record does.
func TestTheEndTellsWhatWasHeard(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	id, _ := connect(a, b)
	deadline, poll := time.Now().Add(patience), time.NewTicker(5*time.Millisecond)
	defer poll.Stop()
	for a.do(phone.GetCall{CallID: &id}).Calls[0].Heard.HeardMs == 0 {
		if time.Now().After(deadline) {
			t.Fatal("nothing was heard")
		}
		<-poll.C
	}
	ended := a.do(phone.Hangup{CallID: &id})
	data := a.awaits("call.state.disconnected").Data
	info := a.do(phone.GetCall{CallID: &id}).Calls[0]
	if ended.Call.CallID != id || info.Sent.Lasted() == 0 || info.Heard.Lasted() == 0 {
		t.Errorf("the record: heard %+v, sent %+v", info.Heard, info.Sent)
	}
	sent, _ := data["sent"].(map[string]any)
	heard, _ := data["heard"].(map[string]any)
	if sent["heard_ms"] != info.Sent.HeardMs || heard["missing_ms"] != info.Heard.MissingMs {
		t.Errorf("the event: heard %v, sent %v; the record: %+v, %+v", heard, sent, info.Heard, info.Sent)
	}
	if quality, _ := data["quality"].(map[string]any); info.Quality == nil || quality["mos"] != info.Quality.MOS {
		t.Errorf("quality %v, %+v", data["quality"], info.Quality)
	}
}
