package tool

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringmaster/proto/phone"
)

// wire puts a SIP message into the log of a phone; its lines end with \n here.
func wire(s *Set, id phone.ID, seq uint64, sent bool, text string) {
	s.o.Hub.Append(id, 1, phone.Entry{Seq: seq, SIP: &phone.SIPMessage{
		Time: now.Add(time.Duration(seq) * time.Millisecond), Sent: sent, Transport: phone.UDP, Remote: "127.0.0.1:5071",
		Raw: []byte(strings.ReplaceAll(text, "\n", "\r\n")),
	}})
}

const (
	anInvite = `INVITE sip:b@127.0.0.1:5071 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1
Via: SIP/2.0/UDP 192.0.2.1
f: "Älice" <sip:a@h>;tag=1
To: <sip:b@h>
i: abc@h
CSeq: 12 INVITE
x-test: 1
Content-Type: application/sdp
Content-Length: 233

v=0
o=- 7 3 IN IP4 127.0.0.1
s=Ringmaster
c=IN IP4 127.0.0.1
t=0 0
m=audio 4000 RTP/AVP 0 101 96
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=rtcp:4005
a=sendonly
m=image 0 udptl t38
`
	anAnswer = "SIP/2.0 486 Busy Here\nCall-ID: abc@h\nCSeq: 12 INVITE\n\n"
	aMessage = "MESSAGE sip:b SIP/2.0\nCall-ID: xyz@h\nCSeq: 3 MESSAGE\nContent-Type: text/plain\nContent-Length: 9\n\n\x1b[2Jh\xffllo"
)

// traffic is a set with two phones that have talked.
func traffic() (*Set, *fakeFleet) {
	f := newFake("a", "b")
	s := newSet(f)
	zero, thousand := phone.CallID(0), phone.CallID(1000)
	wire(s, "a", 1, true, anInvite)
	happens(s, "a", 2, "call.state.calling", &zero, map[string]any{"sip_call_id": "abc@h"})
	wire(s, "b", 2, false, anInvite)
	happens(s, "b", 3, "call.state.incoming", &thousand, map[string]any{"sip_call_id": "abc@h"})
	wire(s, "a", 4, false, anAnswer)
	wire(s, "a", 5, true, "ACK sip:b SIP/2.0\nCall-ID: abc@h\nCSeq: 12 ACK\n\n")
	wire(s, "a", 6, true, aMessage)
	wire(s, "a", 7, false, "SIP/2.0 200 OK\n\n")
	s.o.Hub.NoteCall("a", 1)
	return s, f
}

func TestSIPLogTools(t *testing.T) {
	pin(t, "get_sip_log", func(a *answers) {
		s, _ := traffic()
		a.add(s, "everything, of both phones", `{}`)
		a.add(s, "a method: requests and the responses to them", `{"method": "invite", "phone_id": "a"}`)
		a.add(s, "a call is of one phone", `{"call_id": 1000}`)
		a.add(s, "what was received", `{"direction": "RX", "phone_id": "a", "last_n": 1}`)
		a.add(s, "a status", `{"status_code": 486}`)
		a.add(s, "a number and a text", `{"cseq": 12, "filter_text": "call-id: ABC", "direction": "TX"}`)
		a.add(s, "a phone that never was", `{"phone_id": "nobody"}`)
		a.add(s, "a call that nobody has", `{"call_id": 9999}`)
		a.add(s, "another phone's call", `{"call_id": 0, "phone_id": "b"}`)
		a.add(s, "a call of which nothing is on record yet", `{"call_id": 1}`)
		a.add(s, "an invalid phone_id", `{"phone_id": "A!"}`)
		a.add(s, "wrong values", `{"direction": "tx", "status_code": 99, "cseq": -1, "last_n": "1"}`)
	})
	pin(t, "get_call_messages", func(a *answers) {
		s, _ := traffic()
		a.add(s, "of a call", `{"call_id": 0}`)
		a.add(s, "of every phone, the newest three: no headers, a hostile body, no call", `{"last_n": 3}`)
		a.add(s, "none", `{"phone_id": "nobody"}`)
		a.add(s, "a call that nobody has", `{"call_id": 9999}`)
		a.add(s, "filter_text is not taken", `{"filter_text": "x"}`)
	})
}

func TestALogThatIsTooLongLosesItsOldestMessages(t *testing.T) {
	s, _ := traffic()
	for i := range 300 {
		wire(s, "a", uint64(10+i), true, fmt.Sprintf("OPTIONS sip:b SIP/2.0\nCSeq: %d OPTIONS\nX: %s\n\n", i, strings.Repeat("x", 500)))
	}
	for _, name := range []string{"get_sip_log", "get_call_messages"} {
		answer := find(t, s, name).Call(t.Context(), nil)
		if len(answer.JSON) > answerBound || len(answer.JSON) < answerBound-2000 {
			t.Errorf("%s answers %d bytes", name, len(answer.JSON))
		}
		if text := string(answer.JSON); !strings.Contains(text, "299 OPTIONS") || strings.Contains(text, "CSeq: 12 INVITE") || !strings.Contains(text, "ask again with call_id") {
			t.Errorf("%s has lost its newest message, or not its oldest", name)
		}
	}
}

// What a client saw happen it finds on record, though the entries come in
// later than the answers.
func TestTheRecordHasWhatHappenedBefore(t *testing.T) {
	for _, c := range []struct {
		tool, arguments, want string
		entry                 phone.Entry
	}{
		{"get_sip_log", `{"phone_id": "a", "method": "BYE"}`, "BYE/cseq=13", phone.Entry{SIP: &phone.SIPMessage{Raw: []byte("BYE sip:b SIP/2.0\r\nCSeq: 13 BYE\r\n\r\n")}}},
		{"get_messages", `{}`, "hello", phone.Entry{Inbox: &phone.Message{Body: "hello"}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, f := traffic()
			f.outcomes["phone.GetRegistration"] = phone.Outcome{Cursor: 8}
			tool := find(t, s, c.tool)
			done := make(chan Answer, 1)
			go func() { done <- tool.Call(t.Context(), json.RawMessage(c.arguments)) }()
			synctest.Wait()
			c.entry.Seq = 8
			s.o.Hub.Append("a", 1, c.entry)
			if got := <-done; !strings.Contains(string(got.JSON), c.want) {
				t.Errorf("%s has not what had happened: %s", c.tool, got.JSON)
			}
		})
	}
}

func TestAPhoneThatHangsDelaysTheLogOnlyALittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := traffic()
		f.outcomes["phone.GetRegistration"] = phone.Outcome{Cursor: 1e6}
		began := time.Now()
		answer := find(t, s, "get_sip_log").Call(t.Context(), nil)
		if took := time.Since(began); took != catchUpLimit || !strings.Contains(string(answer.JSON), `"total_count":6`) {
			t.Errorf("after %v: %s", took, answer.JSON)
		}
	})
}

func TestVerbatim(t *testing.T) {
	for raw, want := range map[string]string{"Grüße\r\n\x00\u202e": "Grüße\r\n\x00\u202e", "a\xffb\ufffd": "a\\xffb\ufffd", "": ""} {
		if got := verbatim([]byte(raw)); got != want {
			t.Errorf("verbatim(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestCallFlow(t *testing.T) {
	pin(t, "get_call_flow", func(a *answers) {
		s, _ := traffic()
		s.o.Peers = map[string]string{"127.0.0.1:5071": "PBX"}
		a.add(s, "the newest call", `{}`)
		a.add(s, "a call of b", `{"call_id": 1000, "phone_id": "b"}`)
		a.add(s, "another phone's call", `{"call_id": 0, "phone_id": "b"}`)
		a.add(s, "as mermaid", `{"call_id": 1000, "format": "mermaid"}`)
		a.add(s, "as an image", `{"call_id": 1000, "format": "svg"}`)
		a.add(s, "a form that there is not", `{"format": "png"}`)
		a.add(newSet(newFake("a")), "before any call", `{}`)
	})
	s, _ := traffic()
	for i := range 400 {
		wire(s, "a", uint64(100+i), true, anInvite)
	}
	for format, want := range map[string]string{"text": "250", "mermaid": "250", "svg": "250"} {
		answer := string(find(t, s, "get_call_flow").Call(t.Context(), json.RawMessage(`{"format": "`+format+`"}`)).JSON)
		if len(answer) > answerBound || !strings.Contains(answer, `"message_count":`+want) || !strings.Contains(answer, ` older messages are missing`) {
			t.Errorf("%s: %d bytes, and at the end: %s", format, len(answer), answer[max(0, len(answer)-300):])
		}
	}
}
