package diagnose

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"ringmaster/proto/sdp"
)

// Capture is what a file of packets says of RTP.
type Capture struct {
	LinkType *LinkType  // of the file's first packets; nil when it cannot be told
	Packets  int        // of every kind
	RTP      []*RTPFlow // in the order of their first packets
	RTCP     []*RTCPFlow
	Streams  []*Stream // likewise
}

// RTPFlow is the RTP of one payload type between two ports, whatever the
// addresses.
type RTPFlow struct {
	SrcPort, DstPort int
	PayloadType      int
	Codec            string // by the session description in force, else by RFC 3551, else "PT=<n>"
	Count            int
	First, Last      time.Time
	Streams          []*Stream // what the packets belong to; a stream may have other payload types too
	Digits           string    // of telephone-event: the events, in order

	jitterRate int    // Hz
	event      uint32 // timestamp of the last event
	hasEvents  bool
}

// RTCPFlow is the RTCP of one first packet type between two ports.
type RTCPFlow struct {
	SrcPort, DstPort int
	PayloadType      int    // 200 to 206
	Name             string // "SR", "RR", …
	Count            int    // datagrams
}

// Described is a session description, and when it was sent. It names the
// payload types that are sent to, and from, its ports.
type Described struct {
	At time.Time
	sdp.Session
}

// ReadCapture reads a pcap or pcapng file. Descriptions that are known from
// elsewhere name dynamic payload types, as do those in the file. What could be
// read before an error is there all the same; the error is a sentence.
func ReadCapture(ctx context.Context, r io.Reader, known []Described) (Capture, error) {
	a := analysis{
		known:   slices.Clone(known),
		streams: map[streamKey]*Stream{}, flows: map[flowKey]*RTPFlow{}, control: map[flowKey]*RTCPFlow{},
	}
	in, err := openPackets(r)
	if err != nil {
		return a.found, err
	}
	var strange *LinkType
	for err == nil {
		if err = ctx.Err(); err != nil {
			break
		}
		var p packet
		if p, err = in.next(); err != nil {
			break
		}
		a.found.Packets++
		if !p.link.known() && strange == nil {
			strange = &p.link
		}
		a.packet(p)
	}
	if first, ok := in.first(); ok {
		a.found.LinkType = &first
	}
	switch {
	case !errors.Is(err, io.EOF):
		return a.found, err
	case strange != nil:
		return a.found, fmt.Errorf("packets of link type %d are not read: capture with tcpdump -i any, or on an Ethernet interface", int(*strange))
	}
	return a.found, nil
}

// analysis is a capture that is being read.
type analysis struct {
	known   []Described
	whole   reassembly
	streams map[streamKey]*Stream
	flows   map[flowKey]*RTPFlow
	control map[flowKey]*RTCPFlow
	found   Capture
}

type streamKey struct {
	from, to netip.AddrPort
	ssrc     uint32
}

type flowKey struct {
	src, dst uint16
	kind     uint8
}

func (a *analysis) packet(p packet) {
	ip, ok := parseIP(network(p.link, p.data))
	if ok && ip.fragment() {
		ip, ok = a.whole.add(ip)
	}
	if !ok {
		return
	}
	d, ok := parseUDP(ip)
	if !ok {
		return
	}
	switch {
	case isRTCP(d.payload):
		a.report(d)
	case len(d.payload) > 0 && d.payload[0]>>6 == 2:
		if rtp, ok := parseRTP(d.payload); ok {
			a.rtp(p.at, d, rtp)
		}
	default:
		a.describe(p.at, d.payload)
	}
}

// describe takes the session description of a SIP message.
func (a *analysis) describe(at time.Time, message []byte) {
	_, body, ok := bytes.Cut(message, []byte("\r\n\r\n"))
	if !ok || !bytes.HasPrefix(body, []byte("v=0")) {
		return
	}
	if s, err := sdp.Parse(body); err == nil {
		a.known = append(a.known, Described{at, s})
	}
}

func (a *analysis) report(d datagram) {
	key := flowKey{d.from.Port(), d.to.Port(), d.payload[1]}
	f := a.control[key]
	if f == nil {
		f = &RTCPFlow{
			SrcPort: int(key.src), DstPort: int(key.dst), PayloadType: int(key.kind),
			Name: rtcpNames[key.kind-rtcpFirst],
		}
		a.control[key] = f
		a.found.RTCP = append(a.found.RTCP, f)
	}
	f.Count++
}

func (a *analysis) rtp(at time.Time, d datagram, p rtpPacket) {
	of := streamKey{d.from, d.to, p.ssrc}
	s := a.streams[of]
	if s == nil {
		s = &Stream{From: d.from, To: d.to, SSRC: p.ssrc}
		a.streams[of] = s
		a.found.Streams = append(a.found.Streams, s)
	}
	key := flowKey{d.from.Port(), d.to.Port(), p.payloadType}
	f := a.flows[key]
	if f == nil {
		codec := codecOf(a.known, at, d, p.payloadType)
		f = &RTPFlow{
			SrcPort: int(key.src), DstPort: int(key.dst), PayloadType: int(key.kind), Codec: codec.Name,
			First: at, jitterRate: jitterRate(codec),
		}
		a.flows[key] = f
		a.found.RTP = append(a.found.RTP, f)
	}
	if !slices.Contains(f.Streams, s) {
		f.Streams = append(f.Streams, s)
	}
	s.add(at, p, f.jitterRate)
	f.Count++
	f.Last = at
	if f.Codec == eventName {
		f.hear(p)
	}
}

// hear notes an event when it begins (RFC 4733 §2.3).
func (f *RTPFlow) hear(p rtpPacket) {
	if len(p.payload) < 4 || f.hasEvents && p.timestamp == f.event {
		return
	}
	f.event, f.hasEvents = p.timestamp, true
	if e := int(p.payload[0]); e < len(eventDigits) {
		f.Digits += eventDigits[e : e+1]
	}
}

// eventDigits are the events 0 to 15 of RFC 4733 §3.2.
const eventDigits = "0123456789*#ABCD"

const (
	rtcpFirst, rtcpLast = 200, 206
	rtpHeader           = 12
)

var rtcpNames = [...]string{"SR", "RR", "SDES", "BYE", "APP", "RTPFB", "PSFB"}

func isRTCP(payload []byte) bool {
	return len(payload) >= 4 && payload[0]>>6 == 2 && payload[1] >= rtcpFirst && payload[1] <= rtcpLast
}

// parseRTP reads an RTP packet (RFC 3550 §5.1). An extension or padding that
// does not fit leaves no payload; the packet counts all the same.
func parseRTP(data []byte) (rtpPacket, bool) {
	if len(data) < rtpHeader {
		return rtpPacket{}, false
	}
	p := rtpPacket{
		payloadType: data[1] & 0x7f, sequence: binary.BigEndian.Uint16(data[2:]),
		timestamp: binary.BigEndian.Uint32(data[4:]), ssrc: binary.BigEndian.Uint32(data[8:]),
	}
	at := rtpHeader + int(data[0]&15)*4
	if data[0]&0x10 != 0 && len(data) >= at+4 {
		at += 4 + int(binary.BigEndian.Uint16(data[at+2:]))*4
	}
	end := len(data)
	if data[0]&0x20 != 0 {
		end -= int(data[end-1])
	}
	if at <= end {
		p.payload = data[at:end]
	}
	return p, true
}
