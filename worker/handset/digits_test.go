package handset

import (
	"fmt"
	"net"
	"regexp"
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
	b.awaits("dtmf.in") // the first is over
	a.do(phone.Hangup{CallID: &id})
	if got, _ := a.awaits("dtmf.out").Data["digits"].(string); strings.Trim(got, "5") != "" || len(got) < 1 || len(got) > 50 {
		t.Errorf("told as sent: %q", got)
	}
	a.awaits("call.state.disconnected")
	b.awaits("call.state.disconnected")
	a.refuses(phone.SendDTMF{CallID: &id, Digits: "1"}, phone.Precondition, "it is over")
}

// The far end takes telephone-event, then no more, in the middle of a string:
// what is left travels as INFO, before what is sent later, and no digit twice;
// in the body that the far end takes.
func TestDigitsGoOnAsInfo(t *testing.T) {
	a := newRig(t, "a", 0)
	far, media := newWire(t), newWire(t)
	uri := fmt.Sprintf("sip:x@%s", far.conn.LocalAddr())
	id := a.do(phone.MakeCall{DestURI: uri}).Call.CallID
	sdp := func(version int, events string) string {
		return fmt.Sprintf("v=0\r\no=x 1 %d IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8%s\r\na=sendrecv\r\n",
			version, media.conn.LocalAddr().(*net.UDPAddr).Port, events)
	}
	invite := far.request("INVITE")
	far.answer(invite, "200 OK", fmt.Sprintf("Contact: <%s>\r\n", uri), sdp(1, " 101\r\na=rtpmap:101 telephone-event/8000"))
	a.awaits("call.state.confirmed")
	a.do(phone.SendDTMF{CallID: &id, Digits: "12345"})
	a.do(phone.SendDTMF{CallID: &id, Digits: "67"})
	begun := ""
	for begun != "12" { // two have begun as events
		begun = media.digits(begun)
	}
	far.reinvite(invite, uri, sdp(2, ""))
	a.do(phone.SendDTMF{CallID: &id, Digits: "89"})
	byInfo, refused := "", false
	for !strings.HasSuffix(byInfo, "9") {
		req := far.request("INFO")
		_, body, _ := strings.Cut(req, "\r\n\r\n")
		switch relayed := strings.Contains(req, "application/dtmf-relay"); {
		case relayed && byInfo == "": // the first is taken in the one body, the others in the other
			byInfo = regexp.MustCompile(`Signal=\s*(.)`).FindStringSubmatch(body)[1]
		case relayed && refused:
			t.Errorf("it was refused before:\n%s", req)
		case relayed:
			refused = true
			far.answer(req, "415 Unsupported Media Type", "", "")
			continue
		default:
			byInfo += body
		}
		far.answer(req, "200 OK", "", "")
	}
	for range 50 { // what came meanwhile
		begun = media.digits(begun)
	}
	if begun+byInfo != "123456789" {
		t.Errorf("as events %q, as INFO %q", begun, byInfo)
	}
	told := ""
	for len(told) < 9 {
		told += a.awaits("dtmf.out").Data["digits"].(string)
	}
	if told != "123456789" {
		t.Errorf("told as sent: %q", told)
	}
}
