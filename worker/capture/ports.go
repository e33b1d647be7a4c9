package capture

import (
	"slices"
	"sync"
	"time"
)

// Ports are the UDP ports of the phone's own sockets, and when each was: the
// packets of a capture are looked at later than they were sent. The zero Ports
// is ready. Its methods may be called from any goroutine.
type Ports struct {
	mu    sync.Mutex
	spans []span
}

// span is the time in which a port was the phone's.
type span struct {
	port     uint16
	from, to time.Time // to is zero while it is
}

const (
	// portSlack is how much longer a port counts, before and after: what the
	// far end sends when it is closed still belongs to the call, and the
	// kernel's stamps go by a clock of their own.
	portSlack = 250 * time.Millisecond
	// portKept is when a port that was closed is forgotten.
	portKept = time.Minute
)

// Opened says that the phone has a socket on a port from that moment on.
func (p *Ports) Opened(at time.Time, port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spans = slices.DeleteFunc(p.spans, func(s span) bool { return !s.to.IsZero() && at.Sub(s.to) > portKept })
	p.spans = append(p.spans, span{port: uint16(port), from: at})
}

// Closed says that the phone's socket on a port is closed.
func (p *Ports) Closed(at time.Time, port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.spans {
		if s := &p.spans[i]; s.port == uint16(port) && s.to.IsZero() {
			s.to = at
			return
		}
	}
}

// own says whether a port was the phone's then.
func (p *Ports) own(at time.Time, port uint16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.spans, func(s span) bool {
		return s.port == port && !at.Before(s.from.Add(-portSlack)) && (s.to.IsZero() || !at.After(s.to.Add(portSlack)))
	})
}
