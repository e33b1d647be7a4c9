package quality

import (
	"math"
	"testing"
	"time"
)

func TestReceiverCounts(t *testing.T) {
	type totals struct{ lost, dup, reordered int64 }
	for _, c := range []struct {
		name string
		seqs []uint16
		want totals
		last Verdict
	}{
		{"in order", []uint16{5, 6, 7}, totals{}, InOrder},
		{"one lost", []uint16{5, 7}, totals{lost: 1}, InOrder},
		{"one twice", []uint16{5, 6, 6}, totals{dup: 1}, Duplicate},
		{"the first twice", []uint16{5, 5}, totals{dup: 1}, Duplicate},
		{"a duplicate does not make up for a loss", []uint16{5, 6, 6, 8}, totals{lost: 1, dup: 1}, InOrder},
		{"two swapped", []uint16{5, 7, 6}, totals{reordered: 1}, Reordered},
		{"a reordered one twice", []uint16{5, 7, 6, 6}, totals{reordered: 1, dup: 1}, Duplicate},
		{"the first two swapped", []uint16{6, 5, 7}, totals{reordered: 1}, InOrder},
		{"across the wrap", []uint16{65534, 65535, 0, 1}, totals{}, InOrder},
		{"lost at the wrap", []uint16{65535, 1}, totals{lost: 1}, InOrder},
		{"swapped at the wrap", []uint16{65535, 1, 0, 2}, totals{reordered: 1}, InOrder},
		{"swapped before the wrap, begun after it", []uint16{0, 65535, 1}, totals{reordered: 1}, InOrder},
		{"a stray one is ignored", []uint16{5, 40000, 6}, totals{}, InOrder},
		{"a jump is one", []uint16{5, 40000}, totals{}, Jumped},
		{"begun anew", []uint16{5, 7, 40000, 40001, 40003}, totals{lost: 2}, InOrder},
		{"begun anew, at that moment", []uint16{5, 40000, 40001}, totals{}, Restarted},
		{"99 behind", append(run(1000, 1101), 1001), totals{dup: 1}, Duplicate},
		{"100 behind is a jump", append(run(1000, 1101), 1000), totals{}, Jumped},
		{"old after a gap longer than the window", []uint16{1000, 1200, 1150}, totals{lost: 198, reordered: 1}, Reordered},
	} {
		var r Receiver
		var v Verdict
		for _, s := range c.seqs {
			v = r.Packet(s)
		}
		if got := (totals{r.Lost(), r.Duplicates(), r.Reordered()}); got != c.want || v != c.last {
			t.Errorf("%s: %+v and %v, want %+v and %v", c.name, got, v, c.want, c.last)
		}
	}
}

func run(from, to uint16) []uint16 {
	var s []uint16
	for i := from; i < to; i++ {
		s = append(s, i)
	}
	return s
}

func TestReportIsTheRFCs(t *testing.T) {
	var r Receiver
	if f, c, h := r.Report(); f != 0 || c != 0 {
		t.Errorf("before any packet: %d %d %d", f, c, h)
	}
	for _, s := range []uint16{65534, 65535, 1, 3} { // 0 and 2 lost of 6
		r.Packet(s)
	}
	if f, c, h := r.Report(); f != 2*256/6 || c != 2 || h != 65536+3 {
		t.Errorf("fraction %d, cumulative %d, highest %d", f, c, h)
	}
	r.Packet(4)
	r.Packet(4)
	if f, c, _ := r.Report(); f != 0 || c != 1 { // duplicates count as received, §A.3
		t.Errorf("after a duplicate: fraction %d, cumulative %d", f, c)
	}
}

func TestJitterFollowsTheRFC(t *testing.T) {
	start := uint32(4294967000) // wraps on the way
	j := NewJitter(8000)
	for i := range 50 {
		j.Packet(start+uint32(160*i), time.Duration(i)*20*time.Millisecond)
	}
	if j.Ticks() != 0 {
		t.Errorf("an even stream has jitter %d", j.Ticks())
	}
	// §A.8 by hand: D = 16 ticks once: J = 16/16 = 1.
	j.Packet(start+160*50, 50*20*time.Millisecond+2*time.Millisecond)
	if j.Ticks() != 1 || j.Microseconds() != 125 {
		t.Errorf("after 2 ms: %d ticks, %d us, want 1, 125", j.Ticks(), j.Microseconds())
	}
	for i := range 400 {
		at := time.Duration(i) * 20 * time.Millisecond
		if i%2 == 1 {
			at += 10 * time.Millisecond
		}
		j.Packet(uint32(160*i), at)
	}
	if us := j.Microseconds(); us < 9500 || us > 10500 {
		t.Errorf("every second packet 10 ms late: %d us, want about 10000", us)
	}
}

// What no network does is no jitter: a sender that counts anew. What a network
// does is, however bad.
func TestJitterAcrossAClockThatIsSetAnew(t *testing.T) {
	for _, c := range []struct {
		name       string
		jump       uint32        // of the timestamps, in ticks
		delay      time.Duration // of one packet
		moved      bool
		least, not int64 // microseconds
	}{
		{"far ahead, as a PBX does", 503 * 8000, 0, false, 0, 1},
		{"far back", ^uint32(503*8000 - 1), 0, false, 0, 1},
		{"half the circle", 1 << 31, 0, false, 0, 1},
		{"a little, with another codec", 3000, 0, true, 0, 1},
		{"a little, unannounced", 3000, 0, false, 10_000, 30_000},
		{"a packet held up for 3 s", 0, 3 * time.Second, false, 50_000, 400_000},
	} {
		j := NewJitter(8000)
		for i := range 60 {
			timestamp, at := uint32(160*i), time.Duration(i)*20*time.Millisecond
			if i >= 50 {
				timestamp += c.jump
			}
			if i >= 50 && i < 55 {
				at = max(at, 50*20*time.Millisecond+c.delay) // those after it wait behind it
			}
			if i == 50 && c.moved {
				j.Moved()
			}
			if i < 55 || c.delay == 0 {
				j.Packet(timestamp, at)
			}
		}
		if us := j.Microseconds(); us < c.least || us >= c.not {
			t.Errorf("%s: %d us, want %d to %d", c.name, us, c.least, c.not)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, c := range []struct {
		name               string
		now, lastSR, delay uint32
		want               time.Duration
		ok                 bool
	}{
		// RFC 3550 figure 2: A=0xb710:8000, LSR=0xb705:2000, DLSR=0x0005:4000 give 6.125 s.
		{"figure 2", 0xb7108000, 0xb7052000, 0x00054000, 6125 * time.Millisecond, true},
		{"no report yet", 0xb7108000, 0, 0, 0, false},
		{"the far end claims more than passed", 100, 90, 20, 0, false},
		{"rounded down to less than nothing", 100, 90, 11, 0, true},
		{"across the wrap", 0x00008000, 0xFFFF8000, 0x8000, 500 * time.Millisecond, true},
	} {
		if got, ok := RoundTrip(c.now, c.lastSR, c.delay); got != c.want || ok != c.ok {
			t.Errorf("%s: %v %v, want %v %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

func TestNTP(t *testing.T) {
	if got := NTP(time.Unix(0, 500_000_000)); got != 2208988800<<32|1<<31 {
		t.Errorf("half a second after 1970 is %#x", got)
	}
	if got := Middle(0x1122334455667788); got != 0x33445566 {
		t.Errorf("middle %#x", got)
	}
}

func TestReportIntervalStaysInItsBounds(t *testing.T) {
	for _, c := range []struct {
		initial bool
		random  float64
		want    time.Duration
	}{
		{true, 0, 1026 * time.Millisecond}, {true, 1, 3078 * time.Millisecond},
		{false, 0, 2052 * time.Millisecond}, {false, 0.5, 4104 * time.Millisecond}, {false, 1, 6156 * time.Millisecond},
	} {
		if got := ReportInterval(c.initial, c.random).Round(time.Millisecond); got != c.want {
			t.Errorf("ReportInterval(%v, %v) = %v, want %v", c.initial, c.random, got, c.want)
		}
	}
}

func TestLevel(t *testing.T) {
	square := make([]int16, 160)
	wave := make([]int16, 800)
	for i := range square {
		square[i] = -32768
	}
	for i := range wave {
		wave[i] = int16(math.Round(3276.7 * math.Sin(2*math.Pi*float64(i)/80)))
	}
	for _, c := range []struct {
		name string
		pcm  []int16
		want float64
	}{
		{"square wave at full scale", square, 0},
		{"sine a tenth of full scale", wave, -23.01},
		{"nothing", make([]int16, 160), -127},
		{"no samples", nil, -127},
	} {
		if got := Level(c.pcm); math.Abs(got-c.want) > 0.02 {
			t.Errorf("%s: %.2f dBov, want %.2f", c.name, got, c.want)
		}
	}
}

func TestSilenceIsToldOnceAndTakenBack(t *testing.T) {
	const frame = 20 * time.Millisecond
	var s Silence
	for i, c := range []struct {
		level   float64
		packets bool
		d       time.Duration
		want    Change // of the last frame; before it, nothing
	}{
		{-20, true, time.Second, NoChange},
		{-70, true, SilenceAfter - frame, NoChange},
		{-70, true, frame, FellSilent},
		{-70, true, 10 * time.Second, NoChange},
		{-127, false, 10 * time.Second, NoChange}, // it is silent already
		{-59, true, frame, SoundAgain},
		{-61, true, SilenceAfter - frame, NoChange},
		{-30, true, frame, NoChange},
		{-127, false, GapAfter - frame, NoChange},
		{-127, false, frame, NoPackets},
		{-127, false, time.Minute, NoChange},
		{-127, true, time.Second, NoChange}, // packets of silence are not sound
		{-30, true, frame, SoundAgain},
		{-70, true, 2500 * time.Millisecond, NoChange},
		{-127, false, 500*time.Millisecond - frame, NoChange},
		{-127, false, frame, FellSilent}, // the silence was there first
		{-30, true, frame, SoundAgain},
		{-30, false, time.Minute, NoChange}, // what is in the buffer is still heard
		{-127, false, frame, NoPackets},
	} {
		for left := c.d; left > 0; left -= frame {
			want := NoChange
			if left <= frame {
				want = c.want
			}
			if got := s.Frame(c.level, c.packets, frame); got != want {
				t.Fatalf("step %d, %v before its end: %v, want %v", i, left, got, want)
			}
		}
	}
}

func TestRating(t *testing.T) {
	for _, c := range []struct {
		delay   time.Duration
		loss    float64
		codec   Impairment
		r, want float64
	}{
		{0, 0, G711Concealed, 93.2, 4.41}, // ITU-T G.107: all at their defaults
		{150 * time.Millisecond, 0, G711Concealed, 89.6, 4.34},
		{400 * time.Millisecond, 0, G711Concealed, 59.1, 3.06},
		{0, 0.05, G711Concealed, 77.4, 3.92},                             // Ie,eff = 95 * 5 / 30.1
		{0, 0.01, Impairment{Robustness: 4.3}, 75.3, 3.83},               // G.113: G.711 without concealment
		{0, 0.02, Impairment{Equipment: 11, Robustness: 19}, 74.2, 3.79}, // G.113: G.729A with VAD
		{0, 1, G711Concealed, 17.3, 1.18},
		{5 * time.Second, 1, G711Concealed, 0, 1},
	} {
		r := Rating(c.delay, c.loss, c.codec)
		if got := MOS(r); math.Abs(r-c.r) > 0.05 || math.Abs(got-c.want) > 0.02 {
			t.Errorf("delay %v, loss %v: R %.2f, MOS %.3f, want %.1f, %.2f", c.delay, c.loss, r, got, c.r, c.want)
		}
	}
}

// The rows of ITU-T G.107, table B.1.
func TestMOS(t *testing.T) {
	for r, want := range map[float64]float64{-5: 1, 0: 1, 50: 2.58, 60: 3.10, 70: 3.60, 80: 4.03, 90: 4.34, 93.2: 4.41, 100: 4.5, 110: 4.5} {
		if got := MOS(r); math.Abs(got-want) > 0.0075 {
			t.Errorf("MOS(%v) = %.3f, want %.2f", r, got, want)
		}
	}
}
