package diagnose

import (
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// said is a message in a phone's log, so many milliseconds after noon.
func said(id phone.ID, ms int, sent bool, remote, start, cseq, rest string) Message {
	raw := start + "\r\nCSeq: " + cseq + "\r\n" + strings.ReplaceAll(rest, "\n", "\r\n")
	return Read(id, phone.SIPMessage{Time: noon.Add(time.Duration(ms) * time.Millisecond), Sent: sent, Transport: phone.UDP, Remote: remote, Raw: []byte(raw)})
}

const (
	pbxAt   = "127.0.0.1:5070"
	withSDP = "Content-Type: application/sdp\n\nv=0\n"
)

func TestLadderThroughAProxy(t *testing.T) {
	log := []Message{
		said("b", 2, false, pbxAt, "INVITE sip:b@127.0.0.1:6000 SIP/2.0", "1 INVITE", "Via: pbx\n"+withSDP),
		said("b", 9, true, pbxAt, "SIP/2.0 200 OK", "1 INVITE", withSDP),
		said("b", 509, true, pbxAt, "SIP/2.0 200 OK", "1 INVITE", withSDP),
		said("a", 0, true, pbxAt, "INVITE sip:b@127.0.0.1 SIP/2.0", "1 INVITE", withSDP),
		said("a", 1, false, pbxAt, "SIP/2.0 100 Trying", "1 INVITE", "\n"),
		said("a", 10, false, pbxAt, "SIP/2.0 200 OK", "1 INVITE", "Via: pbx\n"+withSDP),
		said("a", 11, true, pbxAt, "ACK sip:b@127.0.0.1:6000 SIP/2.0", "1 ACK", "\n"),
		said("a", 2000, true, pbxAt, "BYE sip:b@127.0.0.1:6000 SIP/2.0", "2 BYE", "\n"),
		said("a", 2001, false, pbxAt, "SIP/2.0 481 \x1b[2JNo such call whatever anybody may say about it", "2 BYE", "\n"),
	}
	got := ReadFlow(log, map[string]string{pbxAt: "PBX"}).Ladder(80)
	want := `
                      a                          PBX                          b
                      │                           │                           │
   0.000s             │─────── INVITE, SDP ──────►│                           │
   0.001s   +0.001    │◄────── 100 Trying ────────│                           │
   0.002s   +0.001    │                           │─────── INVITE, SDP ──────►│
   0.009s   +0.007    │                           │◄────── 200 OK, SDP ───────│
   0.010s   +0.001    │◄────── 200 OK, SDP ───────│                           │
   0.011s   +0.001    │─────────── ACK ──────────►│                           │
   0.509s   +0.498    │                           │◄── 200 OK, SDP (again) ───│
   2.000s   +1.491    │─────────── BYE ──────────►│                           │
   2.001s   +0.001    │◄─ 481 ?[2JNo such call… ──│                           │
`
	if got != want[1:] {
		t.Errorf("got\n%s", got)
	}
}

// Two phones that speak directly have each message in both logs.
func TestFlowOfADirectCall(t *testing.T) {
	const atA, atB = "127.0.0.1:6000", "127.0.0.1:6001"
	log := []Message{
		said("a", 0, true, atB, "INVITE sip:b@127.0.0.1:6001 SIP/2.0", "1 INVITE", withSDP),
		said("a", 500, true, atB, "INVITE sip:b@127.0.0.1:6001 SIP/2.0", "1 INVITE", withSDP),
		said("b", 500, false, atA, "INVITE sip:b@127.0.0.1:6001 SIP/2.0", "1 INVITE", withSDP),
		// The receiver's clock may be read before the sender's.
		said("a", 502, false, atB, "SIP/2.0 486 Busy Here", "1 INVITE", "\n"),
		said("b", 503, true, atA, "SIP/2.0 486 Busy Here", "1 INVITE", "\n"),
		said("a", 504, true, "192.0.2.1:5060", "OPTIONS sip:x SIP/2.0", "7 OPTIONS", "\n"),
	}
	got := ReadFlow(log, nil)
	if p := strings.Join(got.Parties, " "); p != "a b 192.0.2.1:5060" {
		t.Errorf("the parties are %s", p)
	}
	type step struct {
		from, to string
		label    string
		again    bool
	}
	want := []step{{"a", "b", "INVITE, SDP", false}, {"a", "b", "INVITE, SDP", true}, {"b", "a", "486 Busy Here", false}, {"a", "192.0.2.1:5060", "OPTIONS", false}}
	if len(got.Steps) != len(want) {
		t.Fatalf("%d steps: %+v", len(got.Steps), got.Steps)
	}
	for i, s := range got.Steps {
		if have := (step{got.Parties[s.From], got.Parties[s.To], s.Label, s.Again}); have != want[i] {
			t.Errorf("step %d is %+v, want %+v", i, have, want[i])
		}
	}
}

func TestNothingToDraw(t *testing.T) {
	if got := ReadFlow(nil, nil).Ladder(80); got != "" {
		t.Errorf("got %q", got)
	}
}
