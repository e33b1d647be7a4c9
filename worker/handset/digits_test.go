package handset

import (
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// Each digit arrives once and in order, though two strings are sent at once;
// each string is told when it is sent.
func TestDigitsQueue(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	id, _ := connect(a, b)
	begun := time.Now()
	if got := a.do(phone.SendDTMF{CallID: &id, Digits: "1,a"}).Call.Digits; got != "1,A" {
		t.Errorf("queued %q", got)
	}
	a.do(phone.SendDTMF{CallID: &id, Digits: "aa#"})
	for _, want := range []string{"1", "A", "A", "A", "#"} {
		if got := b.awaits("dtmf.in").Data["digit"]; got != want {
			t.Errorf("digit %v, want %s", got, want)
		}
	}
	if took := time.Since(begun); took < 2400*time.Millisecond {
		t.Errorf("five digits with a pause of 2 s took %v", took)
	}
	for _, want := range []string{"1,A", "AA#"} {
		if got := a.awaits("dtmf.out").Data["digits"]; got != want {
			t.Errorf("told as sent: %v, want %s", got, want)
		}
	}
	a.refuses(phone.SendDTMF{CallID: &id, Digits: ",,"}, phone.Invalid, "no digits")
	a.refuses(phone.SendDTMF{CallID: &id, Digits: "1x"}, phone.Invalid, "character 2")
}

func TestAHangupAmongDigits(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	id, _ := connect(a, b)
	a.do(phone.SendDTMF{CallID: &id, Digits: strings.Repeat("5", 100)})
	b.awaits("dtmf.in")
	a.do(phone.Hangup{CallID: &id})
	b.awaits("call.state.disconnected")
	a.awaits("call.state.disconnected")
	a.refuses(phone.SendDTMF{CallID: &id, Digits: "1"}, phone.Precondition, "it is over")
}
