package handset

import (
	"testing"

	"ringmaster/proto/phone"
)

func withSRTP(c *phone.Configuration) { c.SRTP = true }

func TestSecureCall(t *testing.T) {
	a, b := newRig(t, "a", 0, withSRTP), newRig(t, "b", 1000, withSRTP)
	connect(a, b)
	hears := func() { // what was encrypted for another key is never heard
		t.Helper()
		a.do(phone.SendDTMF{Digits: "5"})
		if e := b.awaits("dtmf.in"); e.Data["digit"] != "5" {
			t.Errorf("b heard %v", e.Data)
		}
		b.do(phone.SendDTMF{Digits: "7"})
		if e := a.awaits("dtmf.in"); e.Data["digit"] != "7" {
			t.Errorf("a heard %v", e.Data)
		}
	}
	hears()
	a.do(phone.Hold{})
	a.do(phone.Unhold{})
	hears()
	b.do(phone.SetCodecs{Codecs: []string{"G722"}})
	b.do(phone.Hold{})
	b.do(phone.Unhold{})
	hears()
	for _, r := range []*rig{a, b} {
		if rtp := r.do(phone.GetCall{}).Calls[0].RTP; rtp.RxPackets == 0 || rtp.RxDiscard != 0 {
			t.Errorf("%s: %+v", r.h.cfg.PhoneID, rtp)
		}
	}
}

func TestSecureTransfer(t *testing.T) {
	a, b, c := newRig(t, "a", 0, withSRTP), newRig(t, "b", 1000, withSRTP), newRig(t, "c", 2000, withSRTP)
	connect(a, b)
	connect(a, c)
	a.do(phone.AttendedTransfer{})
	a.awaitsAll("transfer.succeeded", "call.state.disconnected", "call.state.disconnected")
	b.awaits("call.state.disconnected")
	c.awaits("call.state.confirmed")
	b.do(phone.SendDTMF{Digits: "3"})
	if e := c.awaits("dtmf.in"); e.Data["digit"] != "3" {
		t.Errorf("c heard %v", e.Data)
	}
}

// Whoever has srtp calls nobody who has not, and the other way round; the
// setting counts for the calls that begin after it.
func TestSecureAndOtherPhones(t *testing.T) {
	a, b := newRig(t, "a", 0, withSRTP), newRig(t, "b", 1000)
	for range 2 {
		a.do(phone.MakeCall{DestURI: b.uri()})
		for _, r := range []*rig{a, b} {
			if e := r.awaits("call.state.disconnected"); e.Data["last_status"] != int64(488) {
				t.Errorf("%s: the call ended as %v", r.h.cfg.PhoneID, e.Data)
			}
		}
		a, b = b, a
	}
	on := true
	b.do(phone.UpdateSettings{Update: phone.Update{SRTP: &on}})
	connect(a, b)
}
