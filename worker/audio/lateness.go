package audio

import (
	"math"
	"sync/atomic"
	"time"
)

// lateness is a histogram of how late ticks were: each bucket reaches a sixth
// of an octave further than the one before, from 10 µs on.
type lateness struct {
	buckets [latenessBuckets]atomic.Int64
	longest atomic.Int64
}

const (
	latenessBuckets = 128
	finest          = 10 * time.Microsecond
	perOctave       = 6
)

// note counts one tick. Only the clock calls it.
func (l *lateness) note(d time.Duration) {
	d = max(d, 0)
	i := 0
	if d > finest {
		i = min(1+int(perOctave*math.Log2(float64(d)/float64(finest))), latenessBuckets-1)
	}
	l.buckets[i].Add(1)
	if int64(d) > l.longest.Load() {
		l.longest.Store(int64(d))
	}
}

// summary gives the count, two percentiles as upper bounds of their buckets,
// and the maximum.
func (l *lateness) summary() (count int64, p50, p99, longest time.Duration) {
	var counts [latenessBuckets]int64
	for i := range counts {
		counts[i] = l.buckets[i].Load()
		count += counts[i]
	}
	longest = time.Duration(l.longest.Load())
	return count, min(percentile(&counts, count, 0.50), longest), min(percentile(&counts, count, 0.99), longest), longest
}

func percentile(counts *[latenessBuckets]int64, total int64, p float64) time.Duration {
	need := int64(math.Ceil(p * float64(total)))
	for i, n := range counts {
		if need -= n; need <= 0 {
			return time.Duration(float64(finest) * math.Pow(2, float64(i)/perOctave))
		}
	}
	return 0
}
