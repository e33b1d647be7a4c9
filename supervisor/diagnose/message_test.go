package diagnose

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123_456_000, time.UTC)

func message(sent bool, text string) Message {
	return Read("a", phone.SIPMessage{
		Time: noon, Sent: sent, Transport: phone.UDP, Remote: "127.0.0.1:5060", Raw: []byte(strings.ReplaceAll(text, "\n", "\r\n")),
	})
}

const invite = `INVITE sip:b@127.0.0.1:5060 SIP/2.0
v: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1
VIA: SIP/2.0/UDP 10.0.0.1
f: "A" <sip:a@h>;tag=1
t: <sip:b@h>
i: abc@h
CSEQ:  12 	 INVITE
Subject: one
	and two
c: application/sdp; charset=utf-8
l: 5

v=0
more than the length says`

func TestRead(t *testing.T) {
	m := message(true, invite)
	want := []Header{
		{"Via", "SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1"}, {"Via", "SIP/2.0/UDP 10.0.0.1"}, {"From", `"A" <sip:a@h>;tag=1`},
		{"To", "<sip:b@h>"}, {"Call-ID", "abc@h"}, {"CSeq", "12 \t INVITE"}, {"Subject", "one and two"},
		{"Content-Type", "application/sdp; charset=utf-8"}, {"Content-Length", "5"},
	}
	if !reflect.DeepEqual(m.Headers, want) {
		t.Errorf("headers %q\nwant    %q", m.Headers, want)
	}
	if m.Method != "INVITE" || m.RequestURI != "sip:b@127.0.0.1:5060" || m.CSeq == nil || *m.CSeq != 12 || string(m.Body) != "v=0\r\n" || !m.IsRequest() {
		t.Errorf("read %+v", m)
	}
	if s, ok := m.Description(); !ok || s.Version != 0 {
		t.Errorf("the description is %+v, %v", s, ok)
	}
}

func TestEnvelopeAndWhatItIsMadeOf(t *testing.T) {
	for _, c := range []struct{ sent, text, want string }{
		{"TX", invite, "12:00:00.123 TX 276 bytes Request msg INVITE/cseq=12 to UDP 127.0.0.1:5060:"},
		{"RX", "SIP/2.0 200 OK\nCSeq: 3 BYE\n\n", "12:00:00.123 RX 31 bytes Response msg 200/BYE/cseq=3 from UDP 127.0.0.1:5060:"},
		{"RX", "SIP/2.0 486 Busy Here\nCSeq: x\n\n", "12:00:00.123 RX 34 bytes Response msg 486/?/cseq=? from UDP 127.0.0.1:5060:"},
		{"RX", "OPTIONS sip:a SIP/2.0\n\n", "12:00:00.123 RX 25 bytes Request msg OPTIONS/cseq=? from UDP 127.0.0.1:5060:"},
		{"RX", "\n\nACK sip:a SIP/2.0\nCSeq: 4294967296 ACK\n\n", "12:00:00.123 RX 47 bytes Request msg ACK/cseq=? from UDP 127.0.0.1:5060:"},
		{"RX", "", "12:00:00.123 RX 0 bytes Request msg ?/cseq=? from UDP 127.0.0.1:5060:"},
		{"RX", " folded from the beginning\n x\n\n", "12:00:00.123 RX 34 bytes Request msg ?/cseq=? from UDP 127.0.0.1:5060:"},
	} {
		if got := Envelope(message(c.sent == "TX", c.text)); got != c.want {
			t.Errorf("%q\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestBareLineFeedsAreRead(t *testing.T) {
	m := Read("a", phone.SIPMessage{Raw: []byte("SIP/2.0 180 Ringing\nCSeq: 1 INVITE\n\nbody\r\n\r\n")})
	if m.Status != 180 || m.Reason != "Ringing" || m.Method != "INVITE" || string(m.Body) != "body\r\n\r\n" {
		t.Errorf("read %+v", m)
	}
}

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{
		"CALL-ID": "Call-ID", "i": "Call-ID", "I": "Call-ID", "cSeq": "CSeq", "www-AUTHENTICATE": "WWW-Authenticate", "record-route": "Record-Route",
		"x-test": "X-Test", "p-asserted-identity": "P-Asserted-Identity", "": "", "-": "-", "z": "Z",
	} {
		if got := Canonical(name); got != want {
			t.Errorf("Canonical(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestFilter(t *testing.T) {
	yes, no, twelve := true, false, uint32(12)
	request := message(true, invite)
	ringing := message(false, "SIP/2.0 180 Ringing\nCall-ID: abc@h\nCSeq: 12 INVITE\n\n")
	ack := message(true, "ACK sip:b SIP/2.0\nCall-ID: abc@h\nCSeq: 12 ACK\n\n")
	other := message(true, "BYE sip:b SIP/2.0\nCall-ID: xyz@h\n\n")
	all := []Message{request, ringing, ack, other}
	for _, c := range []struct {
		name   string
		filter Filter
		want   []bool
	}{
		{"none", Filter{}, []bool{true, true, true, true}},
		{"method, with its responses", Filter{Method: "invite"}, []bool{true, true, false, false}},
		{"call", Filter{CallID: "abc@h"}, []bool{true, true, true, false}},
		{"sent", Filter{Sent: &yes}, []bool{true, false, true, true}},
		{"received", Filter{Sent: &no}, []bool{false, true, false, false}},
		{"status", Filter{Status: 180}, []bool{false, true, false, false}},
		{"number", Filter{CSeq: &twelve}, []bool{true, true, true, false}},
		{"text of a header", Filter{Text: "SUBJECT: one"}, []bool{true, false, false, false}},
		{"text of the envelope", Filter{Text: "response msg 180"}, []bool{false, true, false, false}},
		{"all of it", Filter{CallID: "abc@h", Method: "INVITE", Sent: &no, Status: 180, CSeq: &twelve, Text: "ringing"}, []bool{false, true, false, false}},
	} {
		for i, m := range all {
			if got := c.filter.Holds(m); got != c.want[i] {
				t.Errorf("%s: message %d is wanted: %v", c.name, i, got)
			}
		}
	}
}

func TestWhatIsNoDescription(t *testing.T) {
	for _, text := range []string{
		"INVITE sip:b SIP/2.0\n\n", "INVITE sip:b SIP/2.0\nContent-Type: application/sdp\n\n",
		"INVITE sip:b SIP/2.0\nContent-Type: text/plain\n\nv=0\n", "INVITE sip:b SIP/2.0\nContent-Type: application/sdp\n\nhello",
	} {
		if s, ok := message(true, text).Description(); ok {
			t.Errorf("%q has the description %+v", text, s)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(invite))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		m := Read("a", phone.SIPMessage{Raw: raw})
		Envelope(m)
		m.Description()
	})
}
