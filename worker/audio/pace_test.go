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

// Whatever the packet time, packets leave as evenly as their timestamps say.
// A busy machine makes some late, but none early: of those whose turn is with a
// tick, and of those whose turn is between two, the earliest are equally so.
func TestPacketsLeaveEvenly(t *testing.T) {
	t.Parallel()
	for _, ms := range []int{10, 20, 30, 50} {
		t.Run(strconv.Itoa(ms), func(t *testing.T) {
			t.Parallel()
			spec := codec.PCMA
			if ms == 30 {
				spec = codec.G722
			}
			_, packets := sending(t, spec, ms)
			first := next(t, "packet", packets)
			earliest := map[uint32]time.Duration{}
			for before, i := first, 0; i < 500/ms; i++ {
				p := next(t, "packet", packets)
				if p.sequence != before.sequence+1 || p.timestamp == before.timestamp {
					t.Fatalf("sequence number %d after %d, timestamp %d after %d", p.sequence, before.sequence, p.timestamp, before.timestamp)
				}
				before = p
				turn := (p.timestamp - first.timestamp) / 80 % 2
				if old, known := earliest[turn]; !known || p.late() < old {
					earliest[turn] = p.late()
				}
			}
			if turns := 1 + ms/10%2; len(earliest) != turns {
				t.Errorf("%d kinds of turns, want %d", len(earliest), turns)
			}
			if d := earliest[1] - earliest[0]; len(earliest) == 2 && d.Abs() > 4*time.Millisecond {
				t.Errorf("every other packet is %v from its time", d)
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
			if err := s.SendDTMF("123"); err != nil {
				t.Fatal(err)
			}
			earliest := map[bool]time.Duration{}
			for events, sounds := 0, 0; events < 12 || sounds < 300/c.ms; {
				p := next(t, "packet", packets)
				if p.event {
					events++
				} else {
					sounds++
				}
				if old, known := earliest[p.event]; !known || p.late() < old {
					earliest[p.event] = p.late()
				}
			}
			if d := earliest[false] - earliest[true]; (d - c.after).Abs() > 4*time.Millisecond {
				t.Errorf("sound leaves %v later than digits, want %v", d, c.after)
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
