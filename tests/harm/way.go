package harm

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// way is one direction of one of the two media: RTP, or RTCP. It reads from the
// socket that one end sends to, and sends from the socket that the other end
// sends to.
type way struct {
	in, out *net.UDPConn
	to      atomic.Pointer[netip.AddrPort]
	delay   time.Duration
	jitter  time.Duration
	shut    *atomic.Bool

	mu    sync.Mutex
	mill  *mill // nil: everything passes
	queue chan parcel
}

// parcel is a datagram that waits for its time.
type parcel struct {
	due  time.Time
	data []byte
}

// read takes in what comes until the socket is closed.
func (w *way) read() {
	defer close(w.queue)
	random := rand.New(rand.NewPCG(1, 2))
	var last time.Time
	for {
		data := make([]byte, 2048)
		n, _, err := w.in.ReadFromUDPAddrPort(data)
		if err != nil {
			return
		}
		if w.shut.Load() {
			continue
		}
		due := time.Now().Add(w.delay)
		if w.jitter > 0 {
			due = due.Add(time.Duration(random.Int64N(int64(w.jitter))))
		}
		if due.Before(last) {
			due = last
		}
		last = due
		for _, one := range w.turn(data[:n]) {
			w.queue <- parcel{due, one}
		}
	}
}

func (w *way) turn(data []byte) [][]byte {
	switch {
	case w.to.Load() == nil:
		return nil // nobody is to have it yet
	case w.mill == nil || len(data) < 12:
		return [][]byte{data}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mill.grind(data)
}

func (w *way) done() Done {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mill.done
}

// write sends what was read when its time has come.
func (w *way) write() {
	for p := range w.queue {
		if wait := time.Until(p.due); wait > 0 {
			<-time.After(wait)
		}
		if to := w.to.Load(); to != nil {
			_, _ = w.out.WriteToUDPAddrPort(p.data, *to) // UDP: nobody is told
		}
	}
}
