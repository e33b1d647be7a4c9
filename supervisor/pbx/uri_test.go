package pbx

import (
	"testing"

	"github.com/emiago/sipgo/sip"
)

// The examples of RFC 3261 §19.1.4, and ours.
func TestSameURI(t *testing.T) {
	tests := []struct {
		a, b string
		same bool
	}{
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
		{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com", "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
		{"sip:bob@[2001:db8::1]", "sip:bob@[2001:DB8::1]", true},
		{"sip:bob:one@biloxi.com", "sip:bob:two@biloxi.com", false},
	}
	for _, test := range tests {
		var a, b sip.Uri
		if err := sip.ParseUri(test.a, &a); err != nil {
			t.Fatal(err)
		}
		if err := sip.ParseUri(test.b, &b); err != nil {
			t.Fatal(err)
		}
		if sameURI(&a, &b) != test.same || sameURI(&b, &a) != test.same {
			t.Errorf("%s and %s: same is not %v", test.a, test.b, test.same)
		}
	}
}
