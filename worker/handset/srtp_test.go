package handset

import (
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

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
		// One may be late, or on its way while the call is held; with a wrong key it would be all of them.
		if rtp := r.do(phone.GetCall{}).Calls[0].RTP; rtp.RxPackets == 0 || rtp.RxDiscard > rtp.RxPackets/4 {
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

// forgetful is a far end that answers every request with 200, and an INVITE
// with the SDP that reply makes of the phone's; it tells what it was asked.
func forgetful(t *testing.T, reply func(offer string) string) (uri string, asked <-chan string) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	methods, done := make(chan string, 100), make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 65535)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			head, offer, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
			method, _, _ := strings.Cut(head, " ")
			methods <- method
			if method == "ACK" {
				continue
			}
			lines := []string{"SIP/2.0 200 OK", "Contact: <sip:b@" + conn.LocalAddr().String() + ">", "Content-Type: application/sdp"}
			for _, line := range strings.Split(head, "\r\n")[1:] {
				switch name, _, _ := strings.Cut(line, ":"); name {
				case "Via", "From", "Call-ID", "CSeq":
					lines = append(lines, line)
				case "To":
					if !strings.Contains(line, "tag=") {
						line += ";tag=b"
					}
					lines = append(lines, line)
				}
			}
			_, _ = conn.WriteTo([]byte(strings.Join(lines, "\r\n")+"\r\n\r\n"+reply(offer)), from)
		}
	}()
	return "sip:b@" + conn.LocalAddr().String(), methods
}

// An answer without a key ends the call, be it the first or a later one.
func TestAnswersWithoutKeys(t *testing.T) {
	second := regexp.MustCompile(`a=crypto:2.*\r\n`)
	crypto := regexp.MustCompile(`a=crypto:.*\r\n`)
	for name, reply := range map[string]func(string) string{
		"no crypto": func(offer string) string { return crypto.ReplaceAllString(offer, "") },
		"RTP/AVP":   func(offer string) string { return strings.Replace(offer, "RTP/SAVP", "RTP/AVP", 1) },
		"two":       func(offer string) string { return offer },
	} {
		for _, later := range []bool{false, true} {
			answered := 0
			uri, asked := forgetful(t, func(offer string) string {
				if answered++; later && answered == 1 {
					return second.ReplaceAllString(offer, "")
				}
				if later && name == "two" { // of one that is offered again
					offer = crypto.ReplaceAllString(offer, "$0$0")
				}
				return reply(offer)
			})
			a := newRig(t, "a", 0, withSRTP)
			a.do(phone.MakeCall{DestURI: uri})
			want := []string{"INVITE", "ACK", "BYE"}
			if later {
				a.awaits("call.state.confirmed")
				want = []string{"INVITE", "ACK", "INVITE", "ACK", "BYE"}
				if _, err := a.try(phone.Hold{}); err == nil {
					t.Errorf("%s: the hold succeeds", name)
				}
			}
			if e := a.awaits("call.state.disconnected"); e.Data["last_status"] != int64(488) {
				t.Errorf("%s: the call ended as %v", name, e.Data)
			}
			for _, method := range want {
				select {
				case got := <-asked:
					if got != method {
						t.Errorf("%s: %s came, want %s", name, got, method)
					}
				case <-time.After(patience):
					t.Fatalf("%s: no %s came", name, method)
				}
			}
		}
	}
}
