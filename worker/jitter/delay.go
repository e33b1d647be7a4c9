package jitter

import "time"

// delay decides how long packets wait before they are played. It watches how
// much later than the earliest ones they arrive.
type delay struct {
	clockRate   int64
	least, most time.Duration
	target      time.Duration // the playout delay aimed for

	last  uint32        // timestamp of the last packet; with it,
	media time.Duration // the last timestamp as time since the first

	// The earliest relative arrival of the last one to two windows: the
	// minimum is forgotten in time, so that a drifting clock is followed.
	earliest, earliestBefore time.Duration
	windowEnds               time.Duration

	spread time.Duration // how late packets were of late, falling slowly
	excess int           // times in a row that the delay was too long
}

const (
	window = 10 * time.Second
	// frame is what is inserted or left out at a time.
	frame = 20 * time.Millisecond
	// patience is how many frames the delay must be too long before one is
	// left out: 2 s.
	patience = 100
	// fading is how many packets it takes to forget most of a late one: 10 s.
	fading = 500
)

type adjustment int

const (
	keep adjustment = iota
	grow
	shrink
)

func newDelay(cfg Config) delay {
	return delay{clockRate: int64(cfg.ClockRate), least: cfg.Least, most: cfg.Most, target: cfg.Least}
}

// begin starts a run of packets; the target stays.
func (d *delay) begin(now time.Duration, timestamp uint32) {
	d.last, d.media = timestamp, 0
	d.earliest, d.earliestBefore = now, now
	d.windowEnds = now + window
	d.excess = 0
}

// arrived notes when a packet came.
func (d *delay) arrived(now time.Duration, timestamp uint32) {
	d.media = d.at(timestamp)
	d.last = timestamp
	transit := now - d.media
	if now >= d.windowEnds {
		d.earliestBefore, d.earliest = d.earliest, transit
		d.windowEnds = now + window
	}
	d.earliest = min(d.earliest, transit)
	late := transit - d.reference()
	d.spread = max(late, d.spread-d.spread/fading)
	d.target = max(d.least, min(d.most, d.spread+frame))
}

// at is a timestamp's media time.
func (d *delay) at(timestamp uint32) time.Duration {
	return d.media + time.Duration(int64(int32(timestamp-d.last))*int64(time.Second)/d.clockRate)
}

func (d *delay) reference() time.Duration { return min(d.earliest, d.earliestBefore) }

// adjust compares the delay at which head would be played now with the target.
func (d *delay) adjust(now time.Duration, head uint32) adjustment {
	actual := now - d.at(head) - d.reference()
	switch {
	case actual < d.target-frame/2:
		d.excess = 0
		return grow
	case actual > d.target+2*frame:
		if d.excess++; d.excess > patience || actual > d.most+2*frame {
			d.excess = 0
			return shrink
		}
	default:
		d.excess = 0
	}
	return keep
}
