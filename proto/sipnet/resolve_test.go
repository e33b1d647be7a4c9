package sipnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
)

// zone is a DNS of a few names; it notes what it was asked.
type zone struct {
	srv   map[string][]*net.SRV
	addrs map[string][]string
	asked []string
}

func (z *zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	full := fmt.Sprintf("_%s._%s.%s", service, proto, name)
	z.asked = append(z.asked, full)
	if records, ok := z.srv[full]; ok {
		return full, records, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: full, IsNotFound: true}
}

func (z *zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	z.asked = append(z.asked, host)
	var out []netip.Addr
	for _, a := range z.addrs[host] {
		out = append(out, netip.MustParseAddr(a))
	}
	if out == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return out, nil
}

func uri(t *testing.T, s string) *sip.Uri {
	t.Helper()
	var u sip.Uri
	if err := sip.ParseUri(s, &u); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return &u
}

func TestLookup(t *testing.T) { // RFC 3263 §4.2
	newZone := func() *zone {
		return &zone{
			srv: map[string][]*net.SRV{
				"_sip._udp.pbx.test":  {{Target: "one.test.", Port: 5071, Priority: 1}, {Target: "gone.test.", Port: 1}, {Target: "two.test.", Port: 5072, Priority: 2}},
				"_sips._tcp.pbx.test": {{Target: "one.test.", Port: 5081}},
				"_sip._udp.not.test":  {{Target: "."}},
				"_sip._udp.dead.test": {{Target: "gone.test.", Port: 1}},
			},
			addrs: map[string][]string{
				"one.test.": {"192.0.2.1", "2001:db8::1"}, "two.test.": {"192.0.2.2"}, "pbx.test": {"192.0.2.9"},
				"plain.test": {"::ffff:192.0.2.3"}, "localhost": {"127.0.0.1"},
			},
		}
	}
	for _, row := range []struct {
		uri   string
		other phone.Transport
		want  string // targets, or after "!" what the error says
		asked string
	}{
		{"sip:b@192.0.2.5", phone.UDP, "udp 192.0.2.5:5060", ""},
		{"sip:b@192.0.2.5:99", phone.TCP, "tcp 192.0.2.5:99", ""},
		{"sip:b@[2001:db8::5]", phone.UDP, "udp [2001:db8::5]:5060", ""},
		{"sip:192.0.2.5;transport=tls", phone.UDP, "tls 192.0.2.5:5061 192.0.2.5", ""},
		{"sip:192.0.2.5;TRANSPORT=TCP", phone.UDP, "tcp 192.0.2.5:5060", ""},
		{"sips:b@192.0.2.5", phone.UDP, "tls 192.0.2.5:5061 192.0.2.5", ""},
		{"sip:pbx.test;maddr=192.0.2.6", phone.UDP, "udp 192.0.2.6:5060", ""},
		{"sip:pbx.test", phone.UDP, "udp 192.0.2.1:5071, udp [2001:db8::1]:5071, udp 192.0.2.2:5072", "_sip._udp.pbx.test one.test. gone.test. two.test."},
		{"sip:pbx.test", phone.TLS, "tls 192.0.2.1:5081 pbx.test, tls [2001:db8::1]:5081 pbx.test", "_sips._tcp.pbx.test one.test."},
		{"sip:pbx.test:5060", phone.UDP, "udp 192.0.2.9:5060", "pbx.test"},
		{"sip:plain.test", phone.TCP, "tcp 192.0.2.3:5060", "_sip._tcp.plain.test plain.test"},
		{"sip:localhost", phone.UDP, "udp 127.0.0.1:5060", "localhost"},
		{"sip:nowhere.test", phone.UDP, `!"nowhere.test" cannot be resolved`, "_sip._udp.nowhere.test nowhere.test"},
		{"sip:not.test", phone.UDP, `!"not.test" says that it has no SIP service over udp`, "_sip._udp.not.test"},
		{"sip:dead.test", phone.UDP, `!no server named by "dead.test"`, "_sip._udp.dead.test gone.test."},
		{"sip:pbx.test;transport=sctp", phone.UDP, `!transport "sctp" is not known`, ""},
		{"tel:123", phone.UDP, `!"tel:123" is no SIP URI`, ""},
		{"sip:b@h:70000", phone.UDP, "!port 70000 does not exist", ""},
	} {
		z := newZone()
		targets, err := Lookup(context.Background(), z, uri(t, row.uri), row.other)
		var got []string
		for _, target := range targets {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", target.Transport, target.Addr, target.Host)))
		}
		if wrong, ok := strings.CutPrefix(row.want, "!"); ok {
			var e *phone.Error
			if err == nil || !errors.As(err, &e) || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%s: %v %v, want an error that says %s", row.uri, got, err, wrong)
			}
		} else if err != nil || strings.Join(got, ", ") != row.want {
			t.Errorf("%s: %v %v, want %s", row.uri, got, err, row.want)
		}
		if asked := strings.Join(z.asked, " "); asked != row.asked {
			t.Errorf("%s: DNS was asked %q, want %q", row.uri, asked, row.asked)
		}
	}
}

func TestLiteral(t *testing.T) {
	if _, ok, err := Literal(uri(t, "sip:pbx.test"), phone.UDP); ok || err != nil {
		t.Errorf("a name: %v, %v", ok, err)
	}
	if got, ok, err := Literal(uri(t, "sip:b@127.0.0.1:5070"), phone.UDP); !ok || err != nil || got.Addr != addr("127.0.0.1:5070") {
		t.Errorf("an address: %v, %v, %v", got, ok, err)
	}
	if _, _, err := Literal(&sip.Uri{Scheme: "sip"}, phone.UDP); err == nil {
		t.Error("no host: no error")
	}
}

func TestLookupIsBounded(t *testing.T) {
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("192.0.2.%d", i))
	}
	z := &zone{addrs: map[string][]string{"many.test": many, "s.": many}, srv: map[string][]*net.SRV{
		"_sip._udp.srv.test": slices.Repeat([]*net.SRV{{Target: "s.", Port: 1}}, 10),
	}}
	for _, name := range []string{"sip:many.test", "sip:srv.test"} {
		targets, err := Lookup(context.Background(), z, uri(t, name), phone.UDP)
		if err != nil || len(targets) != maxTargets {
			t.Errorf("%s: %d targets, %v", name, len(targets), err)
		}
	}
}
