package jitter

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

// arrival is a packet of 20 ms at 8 kHz: number n, arriving at the given time.
type arrival struct {
	at time.Duration
	n  int
}

// play feeds arrivals to a buffer that is asked every 20 ms, from 0 to end, and
// writes what it says: a packet's number, "c" for Conceal, "-" for Wait.
func play(t *testing.T, b *Buffer, arrivals []arrival, end time.Duration) string {
	t.Helper()
	var out []string
	for now := time.Duration(0); now <= end; now += 20 * ms {
		for len(arrivals) > 0 && arrivals[0].at <= now {
			a := arrivals[0]
			arrivals = arrivals[1:]
			b.Put(a.at, packet(a.n))
		}
		action, p, ticks := b.Next(now, 160)
		if ticks != 160 {
			t.Errorf("at %v: %d ticks", now, ticks)
		}
		switch action {
		case Play:
			if string(p.Payload) != fmt.Sprint(int(int16(p.Seq))) {
				t.Errorf("packet %d has payload %q", p.Seq, p.Payload)
			}
			out = append(out, string(p.Payload))
		case Conceal:
			out = append(out, "c")
		case Wait:
			out = append(out, "-")
		}
	}
	return strings.Join(out, " ")
}

const start = 0xFFFFFE00 // the timestamps wrap on the way

func packet(n int) Packet {
	return Packet{SSRC: 1, Seq: uint16(n), Timestamp: uint32(start + 160*n), Ticks: 160, Payload: fmt.Append(nil, n)}
}

func even(from, to int) []arrival {
	var a []arrival
	for n := from; n < to; n++ {
		a = append(a, arrival{time.Duration(n) * 20 * ms, n})
	}
	return a
}

func TestBuffer(t *testing.T) {
	for _, c := range []struct {
		name     string
		arrivals []arrival
		end      time.Duration
		want     string
	}{
		{"nothing ever", nil, 60 * ms, "- - - -"},
		{"an even stream plays 40 ms after it came", even(0, 6), 140 * ms, "- - 0 1 2 3 4 5"},
		{"two swapped come out right", []arrival{{0, 0}, {20 * ms, 2}, {40 * ms, 1}, {60 * ms, 3}}, 100 * ms, "- - 0 1 2 3"},
		{"the first two swapped", []arrival{{0, 1}, {5 * ms, 0}, {40 * ms, 2}}, 80 * ms, "- - 0 1 2"},
		{"one lost is concealed", []arrival{{0, 0}, {20 * ms, 1}, {60 * ms, 3}, {80 * ms, 4}}, 120 * ms, "- - 0 1 c 3 4"},
		{"one twice plays once", []arrival{{0, 0}, {20 * ms, 1}, {21 * ms, 1}, {40 * ms, 2}}, 80 * ms, "- - 0 1 2"},
		{"the end is concealed for 100 ms", even(0, 2), 220 * ms, "- - 0 1 c c c c c - - -"},
		{"a packet of after a pause waits 40 ms again", append(even(0, 2), arrival{400 * ms, 20}), 480 * ms,
			"- - 0 1 c c c c c - - - - - - - - - - - - - 20 c c"},
	} {
		if got := play(t, New(Default(8000)), c.arrivals, c.end); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestASenderThatPausedIsNotConcealed(t *testing.T) {
	b := New(Default(8000))
	for i, n := range []int{0, 1, 5} { // 1 and 5 have following sequence numbers
		p := packet(n)
		p.Seq = uint16(i)
		b.Put(0, p)
	}
	var got []Action
	for now := 40 * ms; now <= 140*ms; now += 20 * ms {
		a, _, _ := b.Next(now, 160)
		got = append(got, a)
	}
	want := []Action{Play, Play, Wait, Wait, Wait, Play}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLateAndDuplicateAndOverflowAreTold(t *testing.T) {
	b := New(Default(8000))
	b.Put(0, packet(0))
	b.Next(40*ms, 160)
	if v := b.Put(41*ms, packet(0)); v != Late {
		t.Errorf("a packet whose turn is over: %v", v)
	}
	b.Put(41*ms, packet(2))
	if v := b.Put(42*ms, packet(2)); v != Duplicate {
		t.Errorf("one that is there: %v", v)
	}
	for n := 3; n < 2+slots; n++ {
		if v := b.Put(43*ms, packet(n)); v != Queued {
			t.Fatalf("packet %d: %v", n, v)
		}
	}
	if v := b.Put(43*ms, packet(2+slots)); v != Overflow {
		t.Errorf("one too many: %v", v)
	}
}

func TestDelayGrowsWithLatePacketsAndFallsAgain(t *testing.T) {
	b := New(Default(8000))
	var arrivals []arrival
	for n := range 200 { // every tenth 90 ms late
		at := time.Duration(n) * 20 * ms
		if n%10 == 9 {
			at += 90 * ms
		}
		arrivals = append(arrivals, arrival{at, n})
	}
	sortByTime(arrivals)
	out := strings.Fields(play(t, b, arrivals, 4*time.Second))
	if b.Target() < 100*ms || b.Target() > 120*ms {
		t.Errorf("the target is %v, want about 110 ms", b.Target())
	}
	for i, w := range out[50:195] {
		if w == "c" || w == "-" {
			t.Errorf("once the delay has grown, frame %d is %q", i+50, w)
		}
	}

	delayed := b.Target()
	for now := 4020 * ms; now < 64*time.Second; now += 20 * ms {
		n := int(now / (20 * ms))
		b.Put(now, packet(n))
		b.Next(now, 160)
	}
	if b.Target() >= delayed || b.Target() != 40*ms {
		t.Errorf("after a minute of even packets the target is %v, want 40 ms", b.Target())
	}
	now := 64 * time.Second
	b.Put(now, packet(int(now/(20*ms))))
	if _, p, _ := b.Next(now, 160); p == nil || now-time.Duration(int16(p.Seq))*20*ms > 100*ms {
		t.Errorf("a minute later the playout is still behind: %+v", p)
	}
}

func sortByTime(a []arrival) {
	for i := range a {
		for j := i; j > 0 && a[j].at < a[j-1].at; j-- {
			a[j], a[j-1] = a[j-1], a[j]
		}
	}
}

func TestABacklogIsNotPlayedLate(t *testing.T) {
	b := New(Default(8000))
	for n := range 40 { // 0.8 s that waited in the socket, read in one go
		b.Put(0, packet(n))
	}
	for now := time.Duration(0); now < 2*time.Second; now += 20 * ms {
		n := 40 + int(now/(20*ms))
		b.Put(now, packet(n))
		if _, p, _ := b.Next(now, 160); p != nil && now > time.Second {
			if behind := n - int(p.Seq); behind > 12 {
				t.Fatalf("at %v playout is %d packets behind", now, behind)
			}
		}
	}
}

func TestAnotherSourceBeginsAnew(t *testing.T) {
	b := New(Default(8000))
	b.Put(0, packet(0))
	b.Next(40*ms, 160)
	other := packet(0)
	other.SSRC, other.Timestamp = 2, 12345
	if v := b.Put(60*ms, other); v != Queued {
		t.Fatalf("the other source's first packet: %v", v)
	}
	if a, _, _ := b.Next(80*ms, 160); a != Wait {
		t.Errorf("it is played at once: %v", a)
	}
	if a, p, _ := b.Next(100*ms, 160); a != Play || p.SSRC != 2 {
		t.Errorf("it is not played after 40 ms: %v", a)
	}
}

func TestBufferDoesNotAllocate(t *testing.T) {
	b := New(Default(8000))
	n := 0
	step := func() {
		b.Put(time.Duration(n)*20*ms, Packet{SSRC: 1, Seq: uint16(n), Timestamp: uint32(160 * n), Ticks: 160, Payload: make160()})
		b.Next(time.Duration(n)*20*ms, 160)
		n++
	}
	for range 2 * slots {
		step()
	}
	if got := testing.AllocsPerRun(100, step); got != 0 {
		t.Errorf("%v allocations per packet", got)
	}
}

var silence [160]byte

func make160() []byte { return silence[:] }

// A sender may set its clock anew with any packet, the second one too; the
// steps are seen from both sides of half the circle.
func TestAClockThatIsSetAnewIsFollowed(t *testing.T) {
	for _, set := range []int{1, 2, 5} {
		for _, by := range []uint32{1 << 20, 0x8AB67F10, 0xFFF00000} {
			b := New(Default(8000))
			played := 0
			for n := range 50 {
				p := packet(n)
				if n >= set {
					p.Timestamp += by
				}
				now := time.Duration(n) * 20 * ms
				if v := b.Put(now, p); v != Queued {
					t.Fatalf("set at packet %d by %d: packet %d is %d", set, int32(by), n, v)
				}
				if action, p, _ := b.Next(now, 160); action == Play {
					played = int(p.Seq)
				}
			}
			if played < 45 {
				t.Errorf("set at packet %d by %d: the last packet played is %d", set, int32(by), played)
			}
		}
	}
}

// However far a sender sets its clock, ahead or back, it is heard on at once.
func TestAClockThatIsSetALittleIsFollowed(t *testing.T) {
	for _, by := range []time.Duration{-9 * time.Second, -time.Second, -100 * ms, 1100 * ms, 5 * time.Second, 9 * time.Second} {
		b := New(Default(8000))
		silent := 0
		for n := range 100 {
			p := packet(n)
			if n >= 50 {
				p.Timestamp += uint32(by / (20 * ms) * 160)
			}
			now := time.Duration(n) * 20 * ms
			if v := b.Put(now, p); v != Queued {
				t.Errorf("set by %v: packet %d is %d", by, n, v)
			}
			if action, _, _ := b.Next(now, 160); action != Play && n > 2 {
				silent++
			}
		}
		if silent > 4 {
			t.Errorf("set by %v: %d packets' time passed unheard", by, silent)
		}
	}
}
