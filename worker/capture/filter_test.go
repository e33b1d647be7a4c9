package capture

import (
	"net"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestPortsAreThePhonesForATime(t *testing.T) {
	var p Ports
	p.Opened(noon, 5060)
	p.Opened(noon, 4000)
	p.Closed(noon.Add(time.Second), 4000)
	p.Opened(noon.Add(3*time.Second), 4000) // by a later call
	p.Closed(noon, 9)                       // never was
	for _, w := range []struct {
		port uint16
		at   time.Duration
		want bool
	}{
		{5060, 0, true}, {5060, time.Hour, true}, {5060, -time.Second, false}, {5061, 0, false}, {9, 0, false},
		{4000, 0, true}, {4000, 1200 * time.Millisecond, true}, {4000, 2 * time.Second, false}, {4000, 4 * time.Second, true}, {4000, time.Hour, true},
	} {
		if got := p.own(noon.Add(w.at), w.port); got != w.want {
			t.Errorf("port %d after %v: %v", w.port, w.at, got)
		}
	}
	p.Opened(noon.Add(time.Hour), 1)
	if len(p.spans) != 3 {
		t.Errorf("spans that are long over stay: %v", p.spans)
	}
}

// frame is an Ethernet frame of UDP.
func frame(t *testing.T, from, to string, src, dst uint16, change ...func(*layers.IPv4)) []byte {
	t.Helper()
	udp := &layers.UDP{SrcPort: layers.UDPPort(src), DstPort: layers.UDPPort(dst)}
	v4 := &layers.IPv4{Version: 4, TTL: 64, Id: 7, Protocol: layers.IPProtocolUDP, SrcIP: net.ParseIP(from).To4(), DstIP: net.ParseIP(to).To4()}
	var ip gopacket.SerializableLayer = v4
	kind := layers.EthernetTypeIPv4
	if v4.SrcIP == nil {
		kind = layers.EthernetTypeIPv6
		ip = &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP, SrcIP: net.ParseIP(from), DstIP: net.ParseIP(to)}
	}
	for _, f := range change {
		f(v4)
	}
	out := gopacket.NewSerializeBuffer()
	ethernet := &layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: kind}
	if err := gopacket.SerializeLayers(out, gopacket.SerializeOptions{FixLengths: true}, ethernet, ip, udp, gopacket.Payload("hello")); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFilterKeepsThePhonesOwnPackets(t *testing.T) {
	var ports Ports
	ports.Opened(noon, 5060)
	ports.Opened(noon, 4000)
	f := newFilter(&ports, 1)
	begin := func(ip *layers.IPv4) { ip.Flags = layers.IPv4MoreFragments }
	rest := func(ip *layers.IPv4) { ip.FragOffset = 100 }
	restOfOther := func(ip *layers.IPv4) { ip.FragOffset, ip.Id = 100, 8 }
	for _, w := range []struct {
		name string
		data []byte
		want bool
	}{
		{"to its SIP port", frame(t, "192.0.2.1", "127.0.0.1", 9, 5060), true},
		{"from its RTP port", frame(t, "127.0.0.1", "192.0.2.1", 4000, 9), true},
		{"of others", frame(t, "127.0.0.1", "127.0.0.1", 9, 10), false},
		{"to another machine's port of that number", frame(t, "127.0.0.1", "192.0.2.1", 9, 5060), false},
		{"by IPv6", frame(t, "2001:db8::1", "::1", 9, 4000), true},
		{"by IPv6, of others", frame(t, "2001:db8::1", "::1", 9, 4001), false},
		{"the rest of a packet that is not known", frame(t, "127.0.0.1", "127.0.0.1", 9, 5060, rest), false},
		{"the first fragment", frame(t, "127.0.0.1", "127.0.0.1", 9, 5060, begin), true},
		{"the rest of it", frame(t, "127.0.0.1", "127.0.0.1", 1, 2, rest), true},
		{"the rest of another", frame(t, "127.0.0.1", "127.0.0.1", 9, 5060, restOfOther), false},
		{"no IP", []byte("aabbccddeeffgghhiijj"), true},
		{"nothing", nil, true},
	} {
		if got := f.keeps(noon, w.data); got != w.want {
			t.Errorf("%s: kept %v", w.name, got)
		}
	}
	for id := range uint16(2 * piecesBound) {
		f.keeps(noon, frame(t, "127.0.0.1", "127.0.0.1", 9, 5060, begin, func(ip *layers.IPv4) { ip.Id = id }))
	}
	if len(f.pieces) != piecesBound {
		t.Errorf("%d packets in fragments are known", len(f.pieces))
	}
}
