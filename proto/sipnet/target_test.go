package sipnet

import (
	"net/netip"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// via parses the value of a Via header.
func via(t *testing.T, value string) *sip.ViaHeader {
	t.Helper()
	msg, err := parse(newParser(), crlf("OPTIONS sip:b SIP/2.0\nFrom: <sip:a@h>\nTo: <sip:b@h>\nCall-ID: i\nCSeq: 1 OPTIONS\nVia: "+value))
	if err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return msg.Via()
}

func TestReceivedAndWhereResponsesGo(t *testing.T) { // RFC 3261 §18.2, RFC 3581 §4
	for _, row := range []struct{ via, from, marked, reply string }{
		{"SIP/2.0/UDP 192.0.2.1:5070;branch=b", "192.0.2.1:5070", "SIP/2.0/UDP 192.0.2.1:5070;branch=b", "192.0.2.1:5070"},
		{"SIP/2.0/UDP 192.0.2.1;branch=b", "192.0.2.1:9999", "SIP/2.0/UDP 192.0.2.1;branch=b", "192.0.2.1:5060"},
		{"SIP/2.0/UDP 10.0.0.1:5070;branch=b", "192.0.2.1:9999", "SIP/2.0/UDP 10.0.0.1:5070;branch=b;received=192.0.2.1", "192.0.2.1:5070"},
		{"SIP/2.0/UDP pbx.test;branch=b", "192.0.2.1:9999", "SIP/2.0/UDP pbx.test;branch=b;received=192.0.2.1", "192.0.2.1:5060"},
		{"SIP/2.0/UDP 192.0.2.1:5070;rport;branch=b", "192.0.2.1:9999", "SIP/2.0/UDP 192.0.2.1:5070;rport=9999;branch=b;received=192.0.2.1", "192.0.2.1:9999"},
		{"SIP/2.0/UDP [2001:db8::1]:5070;branch=b", "[2001:db8::1]:5070", "SIP/2.0/UDP [2001:db8::1]:5070;branch=b", "[2001:db8::1]:5070"},
		{"SIP/2.0/UDP [2001:db8::9]:5070;branch=b", "[2001:db8::1]:5070", "SIP/2.0/UDP [2001:db8::9]:5070;branch=b;received=2001:db8::1", "[2001:db8::1]:5070"},
		{"SIP/2.0/UDP 192.0.2.1:99999;branch=b", "192.0.2.1:7", "SIP/2.0/UDP 192.0.2.1:99999;branch=b", "192.0.2.1:5060"},
		{"SIP/2.0/UDP 10.0.0.1:1;received=10.9.9.9;branch=b", "192.0.2.1:2", "SIP/2.0/UDP 10.0.0.1:1;received=192.0.2.1;branch=b", "192.0.2.1:1"},
	} {
		hop := via(t, row.via)
		reply := replyAddr(hop, addr(row.from))
		markReceived(hop, addr(row.from))
		if got := hop.Value(); got != row.marked {
			t.Errorf("%s from %s became\n%s, want\n%s", row.via, row.from, got, row.marked)
		}
		if reply != addr(row.reply) || replyAddr(hop, addr(row.from)) != reply {
			t.Errorf("%s from %s is answered at %s, want %s", row.via, row.from, reply, row.reply)
		}
	}
}

func TestReliable(t *testing.T) {
	for transport, want := range map[phone.Transport]bool{phone.UDP: false, phone.TCP: true, phone.TLS: true} {
		if got := (Target{Transport: transport}).Reliable(); got != want {
			t.Errorf("%s: %v", transport, got)
		}
	}
}
