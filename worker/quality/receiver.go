// Package quality measures a call's media: what arrived of a stream of RTP
// packets, how far away the far end is, how loud and how good it sounds.
package quality

// Verdict says what a packet is in its stream.
type Verdict int

// The verdicts.
const (
	InOrder   Verdict = iota // the first packet, or a newer one than all before
	Reordered                // older than the newest, and not seen before
	Duplicate                // seen before
	Jumped                   // too far ahead or behind for loss: believed only if the next one follows it
	Restarted                // the second packet in a row after a jump: the sender began anew
)

// Bounds of RFC 3550 §A.1: a step of maxDropout or more ahead, or maxMisorder
// or more behind, is not taken for loss or reordering.
const (
	maxDropout  = 3000
	maxMisorder = 100
	windowSize  = 128 // sequence numbers remembered: at least maxMisorder
)

// Receiver counts the packets of one synchronisation source. It holds no clock
// and no lock. The zero value is ready.
type Receiver struct {
	begun    bool
	first    int64 // lowest extended sequence number, counted from 1<<16
	highest  int64 // highest extended sequence number
	awaited  int32 // the sequence number that would confirm a jump; -1 for none
	received int64 // since first, with duplicates, as RFC 3550 §A.3 wants it
	repeated int64 // duplicates among them

	lostBefore                int64 // lost before the sender began anew
	duplicates, reordered     int64 // in all
	expectedPrior, priorCount int64 // at the last report

	seen [windowSize / 64]uint64 // by extended sequence number modulo windowSize
}

// Seen reports whether a sequence number is one of the last, and was received.
// It counts nothing.
func (r *Receiver) Seen(seq uint16) bool {
	behind := int64(uint16(r.highest) - seq)
	return r.begun && behind < maxMisorder && r.isMarked(r.highest-behind)
}

// Packet counts one packet and says what it is. A Jumped one is not counted.
func (r *Receiver) Packet(seq uint16) Verdict {
	if !r.begun {
		r.begin(seq)
		return InOrder
	}
	ahead := int64(seq - uint16(r.highest))
	behind := int64(uint16(r.highest) - seq)
	switch {
	case behind < maxMisorder:
		return r.old(r.highest - behind)
	case ahead < maxDropout:
		r.advance(r.highest + ahead)
		return InOrder
	case int32(seq) == r.awaited:
		r.lostBefore = r.Lost()
		r.begin(seq)
		return Restarted
	}
	r.awaited = int32(seq + 1)
	return Jumped
}

func (r *Receiver) begin(seq uint16) {
	r.begun = true
	r.first = int64(seq) + 1<<16
	r.highest, r.awaited = r.first, -1
	r.received, r.repeated = 1, 0
	r.expectedPrior, r.priorCount = 0, 0
	clear(r.seen[:])
	r.mark(r.first)
}

func (r *Receiver) old(ext int64) Verdict {
	r.received++
	if r.isMarked(ext) {
		r.repeated++
		r.duplicates++
		return Duplicate
	}
	r.first = min(r.first, ext) // it was overtaken by the first that arrived
	r.mark(ext)
	r.reordered++
	return Reordered
}

func (r *Receiver) advance(ext int64) {
	if ext-r.highest >= windowSize {
		clear(r.seen[:])
	}
	for e := max(r.highest, ext-windowSize) + 1; e < ext; e++ {
		r.seen[e%windowSize/64] &^= 1 << (e % 64)
	}
	r.highest, r.awaited = ext, -1
	r.mark(ext)
	r.received++
}

func (r *Receiver) mark(ext int64) { r.seen[ext%windowSize/64] |= 1 << (ext % 64) }

func (r *Receiver) isMarked(ext int64) bool { return r.seen[ext%windowSize/64]>>(ext%64)&1 == 1 }

func (r *Receiver) expected() int64 {
	if !r.begun {
		return 0
	}
	return r.highest - r.first + 1
}

// Lost is how many packets never came: those expected less the distinct ones
// received. RFC 3550 §A.3 also counts duplicates as received; Report does.
func (r *Receiver) Lost() int64 {
	return r.lostBefore + r.expected() - (r.received - r.repeated)
}

// Duplicates is how many packets came again.
func (r *Receiver) Duplicates() int64 { return r.duplicates }

// Reordered is how many packets came after a newer one.
func (r *Receiver) Reordered() int64 { return r.reordered }

// Report gives the three fields of a reception report block that count packets
// (RFC 3550 §6.4.1, §A.3). The fraction, in 256ths, is since the last Report.
func (r *Receiver) Report() (fraction uint8, cumulative int32, highest uint32) {
	expected := r.expected()
	expectedSince, receivedSince := expected-r.expectedPrior, r.received-r.priorCount
	r.expectedPrior, r.priorCount = expected, r.received
	if lost := expectedSince - receivedSince; expectedSince > 0 && lost > 0 {
		fraction = uint8(min(lost<<8/expectedSince, 255))
	}
	cumulative = int32(max(-1<<23, min(expected-r.received, 1<<23-1)))
	return fraction, cumulative, uint32(r.highest - 1<<16)
}
