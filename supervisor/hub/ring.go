package hub

// ring keeps the newest values pushed: at most bound of them, and at most
// maxBytes in all but for the newest, which is always kept. It grows as it
// fills, so that a phone without traffic costs nothing.
type ring[T any] struct {
	bound, maxBytes int
	size            func(T) int // about how many bytes of memory a value holds

	slots    []slot[T]
	begin, n int // the oldest is slots[begin]
	bytes    int
}

type slot[T any] struct {
	value T
	bytes int
}

func newRing[T any](bound, maxBytes int, size func(T) int) *ring[T] {
	return &ring[T]{bound: bound, maxBytes: maxBytes, size: size}
}

// push adds v as the newest. lost, if there is one, is told of each value that
// had to go for it, the oldest first.
func (r *ring[T]) push(v T, lost func(T)) {
	size := r.size(v)
	for r.n == r.bound || r.n > 0 && r.bytes+size > r.maxBytes {
		old := r.drop()
		if lost != nil {
			lost(old)
		}
	}
	if r.n == len(r.slots) {
		r.grow()
	}
	r.n++
	*r.slot(r.n - 1) = slot[T]{v, size}
	r.bytes += size
}

// drop forgets the oldest value.
func (r *ring[T]) drop() T {
	s := r.slot(0)
	old := s.value
	r.bytes -= s.bytes
	*s = slot[T]{}
	r.begin, r.n = (r.begin+1)%len(r.slots), r.n-1
	return old
}

func (r *ring[T]) grow() {
	bigger := make([]slot[T], min(max(2*len(r.slots), 4), r.bound))
	for i := range r.n {
		bigger[i] = *r.slot(i)
	}
	r.slots, r.begin = bigger, 0
}

func (r *ring[T]) slot(i int) *slot[T] { return &r.slots[(r.begin+i)%len(r.slots)] }

func (r *ring[T]) len() int { return r.n }

// at returns the i-th value, 0 being the oldest.
func (r *ring[T]) at(i int) T { return r.slot(i).value }

// all returns a copy, oldest first.
func (r *ring[T]) all() []T {
	out := make([]T, r.n)
	for i := range out {
		out[i] = r.at(i)
	}
	return out
}
