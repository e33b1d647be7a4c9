package audio

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"ringmaster/worker/codec"
)

// left is an RTP packet that was sent.
type left struct {
	at        time.Time
	sequence  uint16
	timestamp uint32
}

// sending makes a stream at that packet time, and gives what leaves it.
func sending(t *testing.T, spec codec.Spec, ms int) <-chan left {
	t.Helper()
	packets := make(chan left, 1000)
	from := make(chan int, 1)
	e := New(Config{Tap: func(at time.Time, source, _ netip.AddrPort, data []byte) {
		port := <-from
		from <- port
		if int(source.Port()) == port && len(packets) < cap(packets) {
			packets <- left{at, binary.BigEndian.Uint16(data[2:]), binary.BigEndian.Uint32(data[4:])}
		}
	}})
	t.Cleanup(e.Close)
	s := open(t, e)
	from <- s.LocalPort()
	other := open(t, e) // a port that nobody else has
	m := params(other.LocalPort(), spec)
	m.PtimeMS = ms
	apply(t, s, m)
	return packets
}

// Whatever the packet time, packets leave as evenly as their timestamps say.
func TestPacketsLeaveEvenly(t *testing.T) {
	t.Parallel()
	for _, ms := range []int{10, 20, 30, 40, 50, 60} {
		t.Run(strconv.Itoa(ms), func(t *testing.T) {
			t.Parallel()
			spec := codec.PCMA
			if ms == 30 {
				spec = codec.G722
			}
			packets := sending(t, spec, ms)
			before := next(t, "packet", packets)
			var off []time.Duration
			for range 900 / ms {
				p := next(t, "packet", packets)
				ticks := p.timestamp - before.timestamp
				if p.sequence != before.sequence+1 || ticks == 0 {
					t.Fatalf("sequence number %d after %d, timestamp %d later", p.sequence, before.sequence, ticks)
				}
				// Beyond a packet's own length the machine held the clock up.
				if int(ticks) == 8*ms {
					off = append(off, (p.at.Sub(before.at) - time.Duration(ms)*time.Millisecond).Abs())
				}
				before = p
			}
			slices.Sort(off)
			// In pairs or in fits and starts, it would be 10 ms.
			if len(off) < 450/ms || off[len(off)/2] > 4*time.Millisecond {
				t.Errorf("%d spacings, half of them off by more than %v", len(off), off[len(off)/2])
			}
			t.Logf("spacing off by %v (median), %v (p95)", off[len(off)/2], off[len(off)*95/100])
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
