package capture

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Taps is where the phone's sockets show what they send and receive. The zero
// Taps is ready.
type Taps struct {
	mu    sync.Mutex // between attach and detach
	feeds atomic.Pointer[[]*feed]
}

// On reports whether anybody wants to see datagrams.
func (t *Taps) On() bool { return t.feeds.Load() != nil }

// Datagram shows one UDP datagram, with the time at which it was sent or
// received. It copies the payload, never waits, and costs one load when
// nobody wants it; up to 1500 bytes it does not allocate. It may be called
// from any goroutine.
func (t *Taps) Datagram(at time.Time, from, to netip.AddrPort, payload []byte) {
	feeds := t.feeds.Load()
	if feeds == nil {
		return
	}
	for _, f := range *feeds {
		f.push(at, from, to, payload)
	}
}

func (t *Taps) attach() *feed {
	f := newFeed()
	t.change(func(all []*feed) []*feed { return append(all, f) })
	return f
}

func (t *Taps) detach(f *feed) {
	t.change(func(all []*feed) []*feed { return slices.DeleteFunc(all, func(o *feed) bool { return o == f }) })
}

func (t *Taps) change(how func([]*feed) []*feed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*feed
	if now := t.feeds.Load(); now != nil {
		all = slices.Clone(*now)
	}
	if all = how(all); len(all) == 0 {
		t.feeds.Store(nil)
		return
	}
	t.feeds.Store(&all)
}

// A feed holds so many datagrams while the disk is slow or tcpdump starts:
// more than a second of two calls. Whole ones of the usual size fit into the
// room that each has from the start.
const (
	feedBound = 256 // a power of two
	usualSize = 1500
)

// datagram is one that waits to be written.
type datagram struct {
	at       time.Time
	from, to netip.AddrPort
	payload  []byte
}

// feed is a bounded queue without a lock: the media clock is among those who
// push. Each slot's turn says whose it is: n for the push of that number,
// n+1 for the pop of it (Vyukov's bounded queue, with one reader).
type feed struct {
	slots   [feedBound]slot
	next    atomic.Uint64 // number of the next push
	done    uint64        // number of the next pop; the reader's
	dropped atomic.Int64
	wake    chan struct{} // capacity 1: waking twice is waking once
}

type slot struct {
	turn atomic.Uint64
	datagram
}

func newFeed() *feed {
	f := &feed{wake: make(chan struct{}, 1)}
	room := make([]byte, feedBound*usualSize)
	for i := range f.slots {
		f.slots[i].turn.Store(uint64(i))
		f.slots[i].payload = room[i*usualSize : i*usualSize : (i+1)*usualSize]
	}
	return f
}

// push copies a datagram in, or drops it when there is no room.
func (f *feed) push(at time.Time, from, to netip.AddrPort, payload []byte) {
	for {
		number := f.next.Load()
		s := &f.slots[number%feedBound]
		switch turn := s.turn.Load(); {
		case turn < number:
			f.dropped.Add(1)
			return
		case turn == number && f.next.CompareAndSwap(number, number+1):
			s.at, s.from, s.to = at, from, to
			s.payload = append(s.payload[:0], payload...)
			s.turn.Store(number + 1)
			select {
			case f.wake <- struct{}{}:
			default:
			}
			return
		}
	}
}

// pop gives the oldest datagram to use, if there is one.
func (f *feed) pop(use func(*datagram)) bool {
	s := &f.slots[f.done%feedBound]
	if s.turn.Load() != f.done+1 {
		return false
	}
	use(&s.datagram)
	s.turn.Store(f.done + feedBound)
	f.done++
	return true
}
