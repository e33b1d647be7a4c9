package audio

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"ringmaster/worker/codec"
)

// left is an RTP packet that was sent.
type left struct {
	at        time.Time
	event     bool // telephone-event that goes on; its end comes thrice
	sequence  uint16
	timestamp uint32
	ticks     int // that it lasts: so far, of an event
}

// late is how long after its end a packet left; only differences mean anything.
func (l left) late() time.Duration {
	return time.Duration(l.at.UnixNano()) - time.Duration(l.timestamp+uint32(l.ticks))*time.Second/8000
}

// sending makes a stream at that packet time, and gives what leaves it.
func sending(t *testing.T, spec codec.Spec, ms int) (*Stream, <-chan left) {
	t.Helper()
	packets := make(chan left, 1000)
	from := make(chan int, 1)
	e := New(Config{Tap: func(at time.Time, source, _ netip.AddrPort, data []byte) {
		port := <-from
		from <- port
		if int(source.Port()) != port || len(packets) == cap(packets) {
			return
		}
		l := left{at: at, sequence: binary.BigEndian.Uint16(data[2:]), timestamp: binary.BigEndian.Uint32(data[4:]), ticks: 8 * ms}
		if data[1]&0x7F == 101 {
			if data[13]&0x80 != 0 {
				return
			}
			l.event, l.ticks = true, int(binary.BigEndian.Uint16(data[14:]))
		}
		packets <- l
	}})
	t.Cleanup(e.Close)
	s := open(t, e)
	from <- s.LocalPort()
	other := open(t, e) // a port that nobody else has
	m := params(other.LocalPort(), spec)
	m.PtimeMS = ms
	apply(t, s, m)
	return s, packets
}

// punctual are the earliest packets of two kinds. A busy machine makes packets
// late, but none early: in time, the earliest of each kind is punctual.
type punctual struct {
	earliest [2]time.Duration
	count    [2]int
}

func (p *punctual) add(kind int, late time.Duration) {
	if p.count[kind] == 0 || late < p.earliest[kind] {
		p.earliest[kind] = late
	}
	p.count[kind]++
}

// apart reports whether the second kind leaves so much later than the first.
func (p *punctual) apart(want time.Duration) bool {
	return min(p.count[0], p.count[1]) >= 10 && (p.earliest[1]-p.earliest[0]-want).Abs() < 4*time.Millisecond
}

// Whatever the packet time, packets leave as evenly as their timestamps say:
// those whose turn is with a tick, and those whose turn is between two.
func TestPacketsLeaveEvenly(t *testing.T) {
	t.Parallel()
	for _, ms := range []int{10, 30, 50} {
		t.Run(strconv.Itoa(ms), func(t *testing.T) {
			t.Parallel()
			spec := codec.PCMA
			if ms == 30 {
				spec = codec.G722
			}
			_, packets := sending(t, spec, ms)
			first := next(t, "packet", packets)
			var turns punctual
			for before, deadline := first, time.Now().Add(patience); !turns.apart(0); {
				p := next(t, "packet", packets)
				if p.sequence != before.sequence+1 || p.timestamp == before.timestamp {
					t.Fatalf("sequence number %d after %d, timestamp %d after %d", p.sequence, before.sequence, p.timestamp, before.timestamp)
				}
				before = p
				turns.add(int(p.timestamp-first.timestamp)/80%2, p.late())
				if time.Now().After(deadline) {
					t.Fatalf("with ticks and between them: %+v", turns)
				}
			}
		})
	}
}

// Digits and sound are on one time line: an event's packet leaves at the end of
// what it tells of, one of sound as well, or half a tick later where the packet
// time asks for it.
func TestDigitsKeepTheTimeOfSound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ms    int
		after time.Duration
	}{{10, halfTime}, {30, halfTime}, {60, 0}} {
		t.Run(strconv.Itoa(c.ms), func(t *testing.T) {
			t.Parallel()
			s, packets := sending(t, codec.PCMU, c.ms)
			var kinds punctual
			for deadline := time.Now().Add(patience); !kinds.apart(c.after); {
				if time.Now().After(deadline) {
					t.Fatalf("digits and sound: %+v", kinds)
				}
				if err := s.SendDTMF("123"); err != nil {
					t.Fatal(err)
				}
				for events, sounds := 0, 0; events < 12 || sounds < 10; { // four of each digit
					p := next(t, "packet", packets)
					if p.event {
						events++
						kinds.add(0, p.late())
					} else {
						sounds++
						kinds.add(1, p.late())
					}
				}
			}
		})
	}
}

// The clock keeps its beat while half ticks come and go.
func TestTheTickerChangesItsStep(t *testing.T) {
	c, err := newTicker()
	if err != nil {
		t.Fatal(err)
	}
	defer c.stop()
	at := 0
	for i, fine := range []bool{false, true, true, true, false, false, true, false, false} {
		before := at
		at = c.wait(fine)
		early := c.begin.Add(time.Duration(at) * halfTime).After(time.Now().Add(time.Millisecond))
		if at <= before || !fine && at%2 != 0 || early {
			t.Errorf("step %d, fine %v: from %d to %d half ticks; early: %v", i, fine, before, at, early)
		}
	}
}
