package diagnose

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// invited is an INVITE of a call, and gone its BYE.
func invited(id phone.ID, ms int, sent bool, callID, from, to string, rest ...string) Message {
	head := fmt.Sprintf("Call-ID: %s\nFrom: <sip:%s@h>;tag=1\nTo: <sip:%s@h>\n", callID, from, to)
	return said(id, ms, sent, pbxAt, "INVITE sip:x@h SIP/2.0", "1 INVITE", head+strings.Join(rest, "\n")+"\n\n")
}

func gone(id phone.ID, ms int, callID string) Message {
	return said(id, ms, true, pbxAt, "BYE sip:x@h SIP/2.0", "2 BYE", "Call-ID: "+callID+"\nTo: <sip:x@h>;tag=2\n\n")
}

func TestLegsAreJoined(t *testing.T) {
	const uuid = "ab30317f1a784dc48ff824d0d3715d86"
	for _, c := range []struct {
		name string
		log  []Message
		want string // of the leg "1" at a: phone/Call-ID and why, for every leg
	}{
		{"a proxy keeps the Call-ID", []Message{invited("a", 0, true, "1", "a", "b"), invited("b", 3, false, "1", "a", "b")},
			"a/1 same Call-ID, b/1 same Call-ID"},
		{"a proxy's next call at once", []Message{
			invited("a", 0, true, "3", "a", "b"), invited("b", 3, false, "3", "a", "b"), invited("a", 12, true, "1", "a", "b"), invited("b", 15, false, "1", "a", "b")},
			"a/1 same Call-ID, b/1 same Call-ID"},
		{"a PBX with a Call-ID for each leg", []Message{invited("a", 0, true, "1", "6001", "6002"), invited("b", 9, false, "2", "6001", "6002")},
			"a/1 same Call-ID, b/2 same far end, time, caller and called user"},
		{"a number that stands for a user", []Message{invited("a", 0, true, "1", "6001", "100"), invited("b", 9, false, "2", "6001", "6002")},
			"a/1 same Call-ID, b/2 same far end, time and caller"},
		{"a caller who is shown as somebody else", []Message{invited("a", 0, true, "1", "6001", "6002"), invited("b", 9, false, "2", "anonymous", "6002")},
			"a/1 same Call-ID, b/2 same far end, time and called user"},
		{"nothing in common", []Message{invited("a", 0, true, "1", "6001", "100"), invited("b", 9, false, "2", "x", "y")},
			"a/1 same Call-ID"},
		{"it came in before", []Message{invited("b", 0, false, "2", "6001", "6002"), invited("a", 900, true, "1", "6001", "6002")},
			"a/1 same Call-ID"},
		{"it came in after the call had ended", []Message{invited("a", 0, true, "1", "6001", "6002"), gone("a", 100, "1"), invited("b", 900, false, "2", "6001", "6002")},
			"a/1 same Call-ID"},
		{"two calls of one caller at a time", []Message{
			invited("a", 0, true, "1", "6001", "6002"), invited("a", 1, true, "3", "6001", "6003"),
			invited("c", 9, false, "4", "6001", "6003"), invited("b", 10, false, "2", "6001", "6002")},
			"a/1 same Call-ID, b/2 same far end, time, caller and called user"},
		{"by Session-ID", []Message{invited("a", 0, true, "1", "6001", "100", "Session-ID: "+uuid), invited("b", 9, false, "2", "x", "y", "Session-ID: 00000000000000000000000000000000;remote="+uuid)},
			"a/1 same Call-ID, b/2 same Session-ID"},
		{"no Session-ID is nothing in common", []Message{invited("a", 0, true, "1", "6001", "100", "Session-ID: 00000000000000000000000000000000"), invited("b", 9, false, "2", "x", "y", "Session-ID: 00000000000000000000000000000000")},
			"a/1 same Call-ID"},
		{"by Replaces", []Message{invited("a", 0, true, "1", "6001", "100"), invited("b", 9, false, "2", "x", "y", "Replaces: 1;to-tag=x;from-tag=y")},
			"a/1 same Call-ID, b/2 Replaces"},
		{"by Refer-To", []Message{
			invited("a", 0, true, "1", "6001", "100", "Refer-To: <sip:c@h?Replaces=9%40h%3Bto-tag%3Dx>"), invited("b", 9, false, "9@h", "x", "y")},
			"a/1 same Call-ID, b/9@h Replaces"},
	} {
		t.Run(c.name, func(t *testing.T) {
			legs, messages := Joined(c.log, "1")
			var got []string
			for _, l := range legs {
				got = append(got, fmt.Sprintf("%s/%s %s", l.PhoneID, l.SIPCallID, l.JoinedBy))
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("the legs are\n%s, want\n%s", s, c.want)
			}
			if len(messages) < len(legs) {
				t.Errorf("%d messages of %d legs", len(messages), len(legs))
			}
			// From any leg, the same call is found.
			for _, l := range legs {
				if again, _ := Joined(c.log, l.SIPCallID); len(again) != len(legs) {
					t.Errorf("from %s there are %d legs, want %d", l.SIPCallID, len(again), len(legs))
				}
			}
		})
	}
}

// In the middle of a load test, a call's legs are found all the same, and soon.
func TestLegsAmongMany(t *testing.T) {
	var log []Message
	const calls = 3000
	for i := range calls {
		from, to := fmt.Sprint("6", i%7), fmt.Sprint("7", i)
		log = append(log, invited("a", i, true, fmt.Sprint("out", i), from, to), invited("b", i, false, fmt.Sprint("in", i), from, to))
	}
	began := time.Now()
	legs, _ := Joined(log, "out1500")
	if len(legs) != 2 || legs[1].SIPCallID != "in1500" {
		t.Errorf("%d legs: %+v", len(legs), legs)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAddresses(t *testing.T) {
	for value, want := range map[string][4]string{
		`"A; <b>" <sip:a@192.0.2.1:5060;lr>;tag=x`: {"sip:a@192.0.2.1:5060;lr", "a", "192.0.2.1", "x"},
		`sip:b@h;tag=y`:                         {"sip:b@h", "b", "h", "y"},
		`<sip:h>`:                               {"sip:h", "", "h", ""},
		`<sips:a@[2001:db8::1]:5061>;expires=1`: {"sips:a@[2001:db8::1]:5061", "a", "2001:db8::1", ""},
		`nonsense`:                              {"nonsense", "", "", ""},
		``:                                      {},
	} {
		if got := [4]string{URI(value), User(value), Host(value), Tag(value)}; got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}
