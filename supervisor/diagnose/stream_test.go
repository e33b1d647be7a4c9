package diagnose

import (
	"testing"
	"time"
)

// Sequence numbers, as they come, and what is counted.
func TestSequenceNumbers(t *testing.T) {
	for name, c := range map[string]struct {
		numbers                     []uint16
		lost, duplicates, reordered int
	}{
		"in order":               {[]uint16{5, 6, 7}, 0, 0, 0},
		"over the end":           {[]uint16{65534, 65535, 0, 1}, 0, 0, 0},
		"lost at the end":        {[]uint16{65534, 1}, 2, 0, 0},
		"lost":                   {[]uint16{1, 2, 5}, 2, 0, 0},
		"late":                   {[]uint16{1, 3, 2, 4}, 0, 0, 1},
		"the first late":         {[]uint16{2, 1, 3}, 0, 0, 1},
		"twice":                  {[]uint16{1, 2, 2, 3}, 0, 1, 0},
		"twice, one lost":        {[]uint16{1, 2, 2, 4}, 1, 1, 0},
		"late, twice":            {[]uint16{1, 3, 2, 2}, 0, 1, 1},
		"an old slot used again": {append(run(1, seenWindow), seenWindow+2, seenWindow+1), 0, 0, 1},
		"begun anew":             {[]uint16{1, 3, 40000, 40001, 40003}, 2, 0, 0},
	} {
		var s Stream
		for i, n := range c.numbers {
			s.add(noon.Add(time.Duration(i)), rtpPacket{sequence: n}, 0)
		}
		if s.Packets != len(c.numbers) || s.Lost != c.lost || s.Duplicates != c.duplicates || s.Reordered != c.reordered {
			t.Errorf("%s: %d packets, %d lost, %d duplicates, %d reordered", name, s.Packets, s.Lost, s.Duplicates, s.Reordered)
		}
		if s.JitterKnown {
			t.Errorf("%s: a jitter without a clock", name)
		}
	}
}

func run(from, to int) []uint16 {
	var all []uint16
	for n := from; n <= to; n++ {
		all = append(all, uint16(n))
	}
	return all
}

// A sender that counts its timestamps anew is not late.
func TestJitterAcrossAClockThatIsSetAnew(t *testing.T) {
	for name, c := range map[string]struct {
		by   uint32
		kind uint8 // afterwards
		most time.Duration
	}{
		"far ahead":                  {by: 503 * 8000},
		"far back":                   {by: 1<<32 - 503*8000},
		"a little, by another codec": {by: 4000, kind: 8},
		"a little":                   {by: 4000, most: 32 * time.Millisecond},
	} {
		var s Stream
		for i := range 10 {
			p := rtpPacket{sequence: uint16(i), timestamp: uint32(i * 160)}
			if i >= 5 {
				p.timestamp += c.by
				p.payloadType = c.kind
			}
			s.add(noon.Add(time.Duration(i)*20*time.Millisecond), p, 8000)
		}
		if s.JitterMax > c.most || s.JitterMax < c.most/2 {
			t.Errorf("%s: jitter of up to %v, want %v", name, s.JitterMax, c.most)
		}
	}
}

// RFC 3550 §A.8: a packet that is 16 ms late adds 1 ms, and so does the next
// that is in time, less a sixteenth of what there was.
func TestJitter(t *testing.T) {
	var s Stream
	for i, late := range []time.Duration{0, 16 * time.Millisecond, 0} {
		at := noon.Add(time.Duration(i)*20*time.Millisecond + late)
		s.add(at, rtpPacket{sequence: uint16(i), timestamp: uint32(1<<32 - 160 + i*160)}, 8000)
		if want := []time.Duration{0, time.Millisecond, 1937500}[i]; s.Jitter != want {
			t.Errorf("after packet %d the jitter is %v, not %v", i, s.Jitter, want)
		}
	}
	if s.JitterMean != 1468750 || s.JitterMax != s.Jitter || s.LongestGap != 36*time.Millisecond {
		t.Errorf("mean %v, maximum %v, gap %v", s.JitterMean, s.JitterMax, s.LongestGap)
	}
}
