package audio

import (
	"testing"
	"time"

	"ringmaster/worker/jitter"
)

func TestLatenessIsWithinItsBucket(t *testing.T) {
	var l lateness
	if count, p50, p99, longest := l.summary(); count != 0 || p50 != 0 || p99 != 0 || longest != 0 {
		t.Errorf("before any tick: %d %v %v %v", count, p50, p99, longest)
	}
	for range 98 {
		l.note(100 * time.Microsecond)
	}
	l.note(5 * time.Millisecond)
	l.note(40 * time.Millisecond)
	l.note(-time.Microsecond) // a clock that was read before the tick was due
	count, p50, p99, longest := l.summary()
	if count != 101 || longest != 40*time.Millisecond {
		t.Errorf("%d ticks, the latest by %v", count, longest)
	}
	for _, c := range []struct{ got, want time.Duration }{{p50, 100 * time.Microsecond}, {p99, 5 * time.Millisecond}} {
		if c.got < c.want || c.got > c.want*9/8 {
			t.Errorf("a percentile is %v, want at least %v and less than an eighth more", c.got, c.want)
		}
	}
	l.note(time.Hour)
	if _, _, _, longest := l.summary(); longest != time.Hour {
		t.Errorf("the latest by %v", longest)
	}
}

func TestPacketQueueIsBoundedAndCopies(t *testing.T) {
	var q packetQueue
	if q.peek() != nil {
		t.Error("an empty queue has a packet")
	}
	data := []byte{1, 2, 3}
	for i := range packetSlots {
		data[0] = byte(i)
		if !q.add(arrived{Packet: jitter.Packet{Seq: uint16(i), Payload: data}}) {
			t.Fatalf("packet %d found no room", i)
		}
	}
	if q.add(arrived{}) {
		t.Error("one more found room")
	}
	for i := range packetSlots {
		if a := q.peek(); a == nil || int(a.Seq) != i || a.Payload[0] != byte(i) {
			t.Fatalf("packet %d is %+v", i, a)
		}
		q.drop()
	}
	if q.peek() != nil {
		t.Error("there is more than was put in")
	}
}

func TestConverterGivesWholeFrames(t *testing.T) {
	c := newConverter(16000)
	tone := make([]int16, 160)
	for i := range tone {
		tone[i] = 1000
	}
	for i := range 5 {
		out := c.frame(tone, 8000)
		if len(out) != 320 {
			t.Fatalf("frame %d has %d samples", i, len(out))
		}
		if i > 0 && (out[0] < 990 || out[0] > 1010 || out[319] < 990 || out[319] > 1010) {
			t.Errorf("frame %d goes from %d to %d", i, out[0], out[319])
		}
	}
	wide := make([]int16, 320)
	if out := c.frame(wide, 16000); &out[0] != &wide[0] {
		t.Error("a frame of the right rate was copied")
	}
	if out := c.frame(tone, 8000); len(out) != 320 {
		t.Errorf("after a change of rate: %d samples", len(out))
	}
}
