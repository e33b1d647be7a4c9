package quality

import "time"

// Jitter is the interarrival jitter of RFC 3550 §6.4.1, kept as §A.8 does. Make
// a new one when the source or its clock rate changes.
type Jitter struct {
	clockRate int64
	begun     bool
	timestamp uint32 // of the last packet
	arrival   int64  // of the last packet, in ticks
	scaled    int64  // the estimate, in sixteenths of a tick
}

// NewJitter makes an estimator for an RTP clock of clockRate Hz.
func NewJitter(clockRate int) Jitter { return Jitter{clockRate: int64(clockRate)} }

// Packet takes a packet's timestamp and when it arrived, counted from any
// fixed moment.
func (j *Jitter) Packet(timestamp uint32, arrival time.Duration) {
	ticks := int64(arrival/time.Second)*j.clockRate + int64(arrival%time.Second)*j.clockRate/int64(time.Second)
	step, elapsed := int64(int32(timestamp-j.timestamp)), ticks-j.arrival
	jumped := !j.begun || j.jumps(step, elapsed)
	j.begun, j.timestamp, j.arrival = true, timestamp, ticks
	if jumped {
		return
	}
	d := elapsed - step
	j.scaled += max(d, -d) - (j.scaled+8)>>4
}

// jumps tells timestamps that the sender counts anew, with the same SSRC, as a
// PBX does that changes what it relays: they run back, or ahead of the time
// that has passed, by more than a second. No network does that, and no
// interarrival time can be told across it. A packet that is held up, for however
// long, is not one: its timestamp follows the one before.
func (j *Jitter) jumps(step, elapsed int64) bool {
	return step < -j.clockRate || step > max(elapsed, 0)+j.clockRate
}

// Moved says that the next packet's timestamp need not follow the one before:
// the sender has another codec.
func (j *Jitter) Moved() { j.begun = false }

// Ticks is the estimate in timestamp units, as reports carry it.
func (j *Jitter) Ticks() uint32 { return uint32(j.scaled >> 4) }

// Microseconds is the estimate as time.
func (j *Jitter) Microseconds() int64 {
	if j.clockRate == 0 {
		return 0
	}
	return (j.scaled * 1_000_000 / j.clockRate) >> 4
}

// ntpEpoch is 1900-01-01 in Unix seconds.
const ntpEpoch = -2208988800

// NTP is t as reports carry it: seconds since 1900 and 2^-32 seconds
// (RFC 3550 §4).
func NTP(t time.Time) uint64 {
	return uint64(t.Unix()-ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// Middle is the middle 32 bits of an NTP time, in 2^-16 seconds.
func Middle(ntp uint64) uint32 { return uint32(ntp >> 16) }

// RoundTrip is the round-trip time by a reception report that arrived at now
// (the middle of its NTP time) and says when our last report reached the far
// end (lastSR, delay; RFC 3550 §6.4.1). Not ok: the far end had no report of
// ours yet, or contradicts our clock.
func RoundTrip(now, lastSR, delay uint32) (rtt time.Duration, ok bool) {
	d := int32(now - lastSR - delay)
	if lastSR == 0 || d < -1 { // each number is rounded down, so that 0 can come out as -1
		return 0, false
	}
	return time.Duration(max(d, 0)) * time.Second >> 16, true
}

// ReportInterval is the time to the next RTCP packet of a session of two: 5 s,
// half of that before the first one, spread by random (0 to 1) over half to one
// and a half times, and compensated (RFC 3550 §6.2, §6.3.1).
func ReportInterval(initial bool, random float64) time.Duration {
	const minimum, compensation = 5 * time.Second, 2.71828 - 1.5
	d := float64(minimum)
	if initial {
		d /= 2
	}
	return time.Duration(d * (random + 0.5) / compensation)
}
