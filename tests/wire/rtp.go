package wire

import (
	"encoding/binary"
	"slices"
	"time"
)

// Packet is one RTP packet on the wire.
type Packet struct {
	At       time.Time
	From, To int // UDP ports
	Payload  int // RTP payload type
	Sequence uint16
	SSRC     uint32
}

// rtpMinimum is the length of an RTP header without anything optional.
const rtpMinimum = 12

// parseRTP reads an IPv4 packet and tells whether it carries RTP: UDP that
// begins with version 2 and is no RTCP (RFC 5761 §4).
func parseRTP(at time.Time, ip []byte) (Packet, bool) {
	d, ok := parseUDP(at, ip)
	rtp := d.Payload
	if !ok || len(rtp) < rtpMinimum || rtp[0]>>6 != 2 || rtp[1] >= 192 && rtp[1] <= 223 {
		return Packet{}, false
	}
	return Packet{
		At: at, From: d.From, To: d.To,
		Payload: int(rtp[1] & 0x7f), Sequence: binary.BigEndian.Uint16(rtp[2:]), SSRC: binary.BigEndian.Uint32(rtp[8:]),
	}, true
}

// From picks the packets that a UDP port sent.
func From(all []Packet, port int) []Packet {
	var own []Packet
	for _, p := range all {
		if p.From == port {
			own = append(own, p)
		}
	}
	return own
}

// Spacing describes the times between successive packets of one sender.
type Spacing struct {
	Packets          int
	Median, P99, Max time.Duration
	Missing          int // sequence numbers that were not sent
}

// Space measures the spacing of packets, which are all of one sender. It needs
// two at least; fewer give the zero Spacing with their number.
func Space(packets []Packet) Spacing {
	s := Spacing{Packets: len(packets)}
	if len(packets) < 2 {
		return s
	}
	gaps := make([]time.Duration, len(packets)-1)
	for i := range gaps {
		gaps[i] = packets[i+1].At.Sub(packets[i].At)
		if step := packets[i+1].Sequence - packets[i].Sequence; step > 1 {
			s.Missing += int(step) - 1
		}
	}
	slices.Sort(gaps)
	at := func(share float64) time.Duration { return gaps[min(len(gaps)-1, int(share*float64(len(gaps))))] }
	s.Median, s.P99, s.Max = at(0.5), at(0.99), gaps[len(gaps)-1]
	return s
}
