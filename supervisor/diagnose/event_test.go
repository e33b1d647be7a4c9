package diagnose

import (
	"reflect"
	"strings"
	"testing"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/hub"
)

func TestEvent(t *testing.T) {
	five := phone.CallID(5)
	for _, c := range []struct {
		name   string
		sent   bool
		text   string
		kind   string
		dialog hub.Dialog
		data   map[string]any
	}{
		{"a request sent", true, invite, "sip.request.invite", hub.Dialog{SIPCallID: "abc@h", LocalTag: "1", MayBegin: true}, map[string]any{
			"direction": "TX", "method": "INVITE", "cseq": int64(12), "request_uri": "sip:b@127.0.0.1:5060",
			"sip_call_id": "abc@h", "from": `"A" <sip:a@h>;tag=1`, "to": "<sip:b@h>",
			"headers": map[string]any{
				"Via": []any{"SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1", "SIP/2.0/UDP 10.0.0.1"}, "From": `"A" <sip:a@h>;tag=1`,
				"To": "<sip:b@h>", "Call-ID": "abc@h", "CSeq": "12 \t INVITE", "Subject": "one and two",
				"Content-Type": "application/sdp; charset=utf-8", "Content-Length": "5",
			},
		}},
		{"credentials", true, "REGISTER sip:b SIP/2.0\nAuthorization: Digest username=\"a\", realm=\"response=\", nonce=\"n\", Response = \"0123456789abcdef\", algorithm=MD5\nProxy-Authorization: Digest response=0123,realm=x\n\n",
			"sip.request.register", hub.Dialog{}, map[string]any{
				"direction": "TX", "method": "REGISTER", "cseq": nil, "request_uri": "sip:b", "sip_call_id": nil, "from": nil, "to": nil,
				"headers": map[string]any{
					"Authorization":       `Digest username="a", realm="response=", nonce="n", response="…", algorithm=MD5`,
					"Proxy-Authorization": `Digest response="…",realm=x`,
				},
			}},
		{"a request received", false, invite, "sip.request.invite", hub.Dialog{SIPCallID: "abc@h", MayBegin: true}, nil},
		{"a response received", false, "SIP/2.0 486 Busy Here\nFrom: <sip:a@h>;tag=A\nTo: <sip:b@h>;tag=B\nCall-ID: x\nCSeq: 2 INVITE\n\n",
			"sip.response.486", hub.Dialog{SIPCallID: "x", LocalTag: "A", MayBegin: true}, map[string]any{
				"direction": "RX", "method": "INVITE", "cseq": int64(2), "status_code": int64(486), "reason": "Busy Here",
				"sip_call_id": "x", "from": "<sip:a@h>;tag=A", "to": "<sip:b@h>;tag=B",
				"headers": map[string]any{"From": "<sip:a@h>;tag=A", "To": "<sip:b@h>;tag=B", "Call-ID": "x", "CSeq": "2 INVITE"},
			}},
		{"a response sent", true, "SIP/2.0 200 OK\nf: <sip:a@h>;tag=A\nt: <sip:b@h>;TAG = B;x\ni: x\nCSeq: 2 BYE\n\n",
			"sip.response.200", hub.Dialog{SIPCallID: "x", LocalTag: "B"}, nil},
		{"a tag in a display name and in a URI", true, `BYE sip:b SIP/2.0` + "\n" + `From: "\">;tag=no\\" <sip:a@h;tag=no>;tag=yes` + "\nCall-ID: x\nCSeq: 2 BYE\n\n",
			"sip.request.bye", hub.Dialog{SIPCallID: "x", LocalTag: "yes"}, nil},
		{"a method that is none", false, "I\x1b[2J sip:b SIP/2.0\n\n", "sip.request.unknown", hub.Dialog{}, nil},
		{"nothing", false, "", "sip.request.unknown", hub.Dialog{}, map[string]any{
			"direction": "RX", "method": nil, "cseq": nil, "request_uri": nil, "sip_call_id": nil, "from": nil, "to": nil, "headers": map[string]any{},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := hub.Dialog{}
			e := Event("a", message(c.sent, c.text).SIPMessage, func(d hub.Dialog) *phone.CallID { asked = d; return &five })
			if e.Type != c.kind || e.PhoneID != "a" || !e.Time.Equal(noon) || asked != c.dialog || (e.CallID == nil) != (c.dialog == hub.Dialog{}) {
				t.Errorf("%s at %v of call %v, asked for %+v", e.Type, e.Time, e.CallID, asked)
			}
			if c.data != nil && !reflect.DeepEqual(e.Data, c.data) {
				t.Errorf("data %v\nwant %v", e.Data, c.data)
			}
		})
	}
	if e := Event("a", message(false, strings.Repeat("A", 40)+" sip:b SIP/2.0\n\n").SIPMessage, nil); e.Type != "sip.request.unknown" {
		t.Error(e.Type)
	}
	long := message(false, "BYE sip:b SIP/2.0\nA: 1\nB: "+strings.Repeat("b", headerBytes)+"\nC: 1\n\n")
	if e := Event("a", long.SIPMessage, nil); !reflect.DeepEqual(e.Data["headers"], map[string]any{"Accept-Contact": "1"}) {
		t.Errorf("%d headers", len(e.Data["headers"].(map[string]any)))
	}
}
