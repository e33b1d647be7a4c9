package harm

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// Plan is what happens to the packets of one direction. The zero value lets
// everything pass.
type Plan struct {
	Seed               uint64
	Drop, Double, Swap float64       // the share of RTP packets; a swapped one comes after its successor
	Delay              time.Duration // of everything, RTCP too
	Jitter             time.Duration // up to so much more, of RTP; the order stays
	// NewSource begins the stream anew after so many packets: another SSRC,
	// sequence number and timestamp. 0 is never.
	NewSource int
}

// Done is what was done to the RTP of one direction, as a receiver can tell:
// what was dropped before the first packet, or after the last, is not in it.
type Done struct {
	Passed  int // datagrams that went on, copies among them
	Dropped int
	Doubled int
	Swapped int
}

// mill turns packets into what becomes of them.
type mill struct {
	plan   Plan
	random *rand.Rand
	done   Done

	seen    int    // packets that came in
	held    []byte // waits for its successor
	dropped int    // since the last that passed
	begun   bool   // a packet of this source has passed
}

func newMill(p Plan) *mill { return &mill{plan: p, random: rand.New(rand.NewPCG(p.Seed, 1))} }

// grind takes one RTP packet and returns what is to be sent now, in order. It
// may keep and change the packet.
func (m *mill) grind(packet []byte) (out [][]byte) {
	m.seen++
	p := m.plan
	if p.NewSource > 0 && m.seen > p.NewSource {
		if m.seen == p.NewSource+1 {
			m.dropped, m.begun = 0, false
		}
		anew(packet)
	}
	chance := m.random.Float64()
	switch {
	case chance < p.Drop:
		if m.begun {
			m.dropped++
		}
		return nil
	case chance < p.Drop+p.Swap && m.held == nil && m.seen != p.NewSource:
		m.held = packet
		return nil
	case chance < p.Drop+p.Swap+p.Double:
		m.done.Doubled++
		out = append(out, packet, packet)
	default:
		out = append(out, packet)
	}
	m.done.Dropped += m.dropped
	m.dropped, m.begun = 0, true
	if m.held != nil {
		out = append(out, m.held)
		m.done.Swapped++
		m.held = nil
	}
	m.done.Passed += len(out)
	return out
}

// anew moves a packet into another stream: every field that names one is
// changed by a constant.
func anew(packet []byte) {
	be := binary.BigEndian
	be.PutUint16(packet[2:], be.Uint16(packet[2:])+20_000)
	be.PutUint32(packet[4:], be.Uint32(packet[4:])+1_000_000)
	be.PutUint32(packet[8:], be.Uint32(packet[8:])^0x5A5A5A5A)
}
