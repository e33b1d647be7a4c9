package journal

import (
	"sort"

	"ringmaster/proto/phone"
)

// ring keeps the newest cap entries, in the order of their sequence numbers.
// It grows up to its capacity, so that an idle phone's journal is small.
type ring struct {
	cap   int
	buf   []phone.Entry
	start int // index of the oldest, once buf has its full length
}

func newRing(capacity int) ring { return ring{cap: max(capacity, 1)} }

func (r *ring) len() int { return len(r.buf) }

// at returns the i-th oldest entry.
func (r *ring) at(i int) phone.Entry { return r.buf[(r.start+i)%len(r.buf)] }

func (r *ring) push(e phone.Entry) {
	if len(r.buf) < r.cap {
		r.buf = append(r.buf, e)
		return
	}
	r.buf[r.start] = e
	r.start = (r.start + 1) % r.cap
}

// after returns the index, for at, of the first entry above seq; len when
// there is none.
func (r *ring) after(seq uint64) int {
	return sort.Search(r.len(), func(i int) bool { return r.at(i).Seq > seq })
}
