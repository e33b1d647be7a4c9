package journal

import (
	"sort"

	"ringmaster/proto/phone"
)

// ring keeps the newest entries, in the order of their sequence numbers: at
// most cap of them, and at most maxBytes in all but for the newest, which is
// always kept. It grows as it fills, so that an idle phone's journal is small.
type ring struct {
	cap, maxBytes int
	buf           []kept
	start, n      int // the oldest is buf[start]
	bytes         int
}

type kept struct {
	phone.Entry
	bytes int
}

func newRing(capacity, maxBytes int) ring { return ring{cap: max(capacity, 1), maxBytes: maxBytes} }

func (r *ring) len() int { return r.n }

func (r *ring) slot(i int) *kept { return &r.buf[(r.start+i)%len(r.buf)] }

// at returns the i-th oldest entry.
func (r *ring) at(i int) phone.Entry { return r.slot(i).Entry }

// bytesFrom is what the entries from the i-th on hold.
func (r *ring) bytesFrom(i int) int {
	bytes := r.bytes
	for k := range min(i, r.n) {
		bytes -= r.slot(k).bytes
	}
	return bytes
}

func (r *ring) push(e phone.Entry) {
	size := e.Size()
	for r.n == r.cap || r.n > 0 && r.bytes+size > r.maxBytes {
		r.drop()
	}
	if r.n == len(r.buf) {
		r.grow()
	}
	r.n++
	*r.slot(r.n - 1) = kept{e, size}
	r.bytes += size
}

// drop forgets the oldest.
func (r *ring) drop() {
	oldest := r.slot(0)
	r.bytes -= oldest.bytes
	*oldest = kept{}
	r.start, r.n = (r.start+1)%len(r.buf), r.n-1
}

func (r *ring) grow() {
	bigger := make([]kept, min(max(2*len(r.buf), 16), r.cap))
	for i := range r.n {
		bigger[i] = *r.slot(i)
	}
	r.buf, r.start = bigger, 0
}

// after returns the index, for at, of the first entry above seq; len when
// there is none.
func (r *ring) after(seq uint64) int {
	return sort.Search(r.len(), func(i int) bool { return r.at(i).Seq > seq })
}
