package hub

// ring keeps the newest values pushed, up to its bound. It grows as it fills,
// so that a phone without traffic costs nothing.
type ring[T any] struct {
	bound  int
	begin  int // index of the oldest, once the ring is full
	values []T
}

func newRing[T any](bound int) *ring[T] { return &ring[T]{bound: bound} }

// push adds v as the newest; overwritten reports whether the oldest had to go
// for it, and lost is that one.
func (r *ring[T]) push(v T) (lost T, overwritten bool) {
	if len(r.values) < r.bound {
		r.values = append(r.values, v)
		return lost, false
	}
	lost = r.values[r.begin]
	r.values[r.begin] = v
	r.begin = (r.begin + 1) % r.bound
	return lost, true
}

func (r *ring[T]) len() int { return len(r.values) }

// at returns the i-th value, 0 being the oldest.
func (r *ring[T]) at(i int) T { return r.values[(r.begin+i)%len(r.values)] }

// all returns a copy, oldest first.
func (r *ring[T]) all() []T {
	out := make([]T, 0, r.len())
	out = append(out, r.values[r.begin:]...)
	return append(out, r.values[:r.begin]...)
}
