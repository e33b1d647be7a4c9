package diagnose

import (
	"net/netip"
	"time"
)

// Stream is the RTP of one source on one way: from one address to another
// with one SSRC, whatever its payload types.
type Stream struct {
	From, To netip.AddrPort
	SSRC     uint32
	Packets  int
	// Lost is how many sequence numbers never came (RFC 3550 §A.3, but a
	// duplicate does not make up for a loss).
	Lost, Duplicates, Reordered int
	// Jitter is the estimate of RFC 3550 §6.4.1 at the end, with its mean and
	// maximum over the packets but the first.
	Jitter, JitterMean, JitterMax time.Duration
	JitterKnown                   bool          // the clock rate of some payload type is
	LongestGap                    time.Duration // between packets
	First, Last                   time.Time
	Series                        Series

	highest  int64 // extended sequence number
	base     int64
	seen     [seenWindow / 64]uint64 // of the numbers up to highest
	distinct int                     // since base
	lostOnce int                     // before a sender began anew

	transit    time.Duration // of the packet before
	jittered   bool          // there was one, of the same clock
	stamp      uint32        // its timestamp,
	stamped    time.Time     // when it came,
	kind       uint8         // and its payload type
	samples    int           // estimates in the sum
	jitter     float64       // seconds
	jitterSum  float64
	jitterRate int
}

const (
	seenWindow = 4096 // how far back a duplicate is known as one
	// maxDropout and maxMisorder: a number further away is that of a sender
	// that began anew (RFC 3550 §A.1, where the second is 100).
	maxDropout, maxMisorder = 3000, seenWindow / 2
)

// rtpPacket is what counts of one RTP packet.
type rtpPacket struct {
	payloadType uint8
	sequence    uint16
	timestamp   uint32
	ssrc        uint32
	payload     []byte
}

// add counts a packet; rate is the RTP clock of its payload type in Hz, or 0
// for none.
func (s *Stream) add(at time.Time, p rtpPacket, rate int) {
	if s.Packets == 0 {
		s.First = at
		s.begin(p.sequence)
	} else {
		s.LongestGap = max(s.LongestGap, at.Sub(s.Last))
		if !s.number(p.sequence) {
			rate = 0
		}
	}
	s.Packets++
	s.Last = at
	s.Lost = s.lostOnce + int(s.highest-s.base) + 1 - s.distinct
	if rate > 0 {
		if s.jumps(at, p, rate) {
			s.jittered = false // no time between the two can be told
		}
		s.estimate(at, p.timestamp, rate)
		s.stamp, s.stamped, s.kind = p.timestamp, at, p.payloadType
	}
	s.Series.note(at.Sub(s.First), s.Lost, s.Jitter)
}

// begin counts from a sequence number on.
func (s *Stream) begin(sequence uint16) {
	s.base = int64(sequence)
	s.highest, s.distinct = s.base, 1
	s.seen = [seenWindow / 64]uint64{}
	s.mark(s.highest)
}

// number takes a sequence number; false is one that was there before.
func (s *Stream) number(sequence uint16) bool {
	step := int64(int16(sequence - uint16(s.highest)))
	number := s.highest + step
	switch {
	case step > maxDropout || step < -maxMisorder:
		s.lostOnce += int(s.highest-s.base) + 1 - s.distinct
		s.begin(sequence)
		s.jittered, s.jitter = false, 0
		return true
	case step > 0:
		for n := s.highest + 1; n < number; n++ {
			s.clear(n)
		}
		s.highest = number
	case number < s.base:
		s.base = number // the first to come was not the first to be sent
		s.Reordered++
	case s.marked(number):
		s.Duplicates++
		return false
	default:
		s.Reordered++
	}
	s.mark(number)
	s.distinct++
	return true
}

func place(number int64) (word int, bit uint64) {
	n := uint64(number) % seenWindow
	return int(n / 64), 1 << (n % 64)
}

func (s *Stream) mark(number int64)        { w, b := place(number); s.seen[w] |= b }
func (s *Stream) clear(number int64)       { w, b := place(number); s.seen[w] &^= b }
func (s *Stream) marked(number int64) bool { w, b := place(number); return s.seen[w]&b != 0 }

// jumps tells timestamps that a sender counts anew, as a PBX does that changes
// what it relays, or with another codec: they run back, or ahead of the time
// that has passed, by more than a second. That is no jitter.
func (s *Stream) jumps(at time.Time, p rtpPacket, rate int) bool {
	step := int64(int32(p.timestamp - s.stamp))
	elapsed := max(0, int64(at.Sub(s.stamped).Seconds()*float64(rate)))
	return p.payloadType != s.kind || step < -int64(rate) || step > elapsed+int64(rate)
}

// estimate brings the jitter up to date (RFC 3550 §A.8).
func (s *Stream) estimate(at time.Time, timestamp uint32, rate int) {
	// The timestamp's distance from the packet before would wrap as well; the
	// transit time may be off by a constant, which the difference takes away.
	sent := time.Duration(int64(timestamp) * int64(time.Second) / int64(rate))
	wrap := time.Duration(int64(1<<32) * int64(time.Second) / int64(rate))
	transit := at.Sub(s.First) - sent
	if rate != s.jitterRate {
		s.jitterRate, s.jittered, s.jitter = rate, false, 0
	}
	if s.jittered {
		d := transit - s.transit
		if d > wrap/2 {
			d -= wrap
		} else if d < -wrap/2 {
			d += wrap
		}
		s.jitter += (d.Abs().Seconds() - s.jitter) / 16
		s.samples++
		s.jitterSum += s.jitter
		s.JitterMean = seconds(s.jitterSum / float64(s.samples))
	}
	s.transit, s.jittered = transit, true
	s.JitterKnown = true
	s.Jitter = seconds(s.jitter)
	s.JitterMax = max(s.JitterMax, s.Jitter)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
