// Package capture writes a phone's packets into pcap files: those that tcpdump
// sees, or, where tcpdump is missing or not allowed, the phone's own.
//
//	tcpdump ──pipe──► splitter, filter ─┐
//	                                    ├─► goroutine of the capture ──► file
//	sockets ──Taps──► feed ─────────────┘
//
// A file is written in whole records only, so that it is valid at any moment,
// whatever becomes of tcpdump or of this process. SIP over TCP and TLS is in
// neither: tcpdump is given the filter "udp", and what the phone writes itself
// is what tcpdump would have seen.
package capture

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Mode says who sees the packets.
type Mode string

// The modes. Undecided is a capture whose tcpdump is still starting.
const (
	Undecided Mode = ""
	Tcpdump   Mode = "tcpdump"
	Own       Mode = "own"
)

// Config is what Captures are made with.
type Config struct {
	// Program is the tcpdump to run; "" looks for it on the PATH and where
	// administrators' programs lie.
	Program string
}

// Captures is all that one phone captures. Its methods may be called from any
// goroutine.
type Captures struct {
	cfg     Config
	taps    Taps
	ports   Ports
	ownOnly atomic.Bool

	mu      sync.Mutex
	open    map[*Capture]bool
	closed  bool
	running sync.WaitGroup
}

// New makes a phone's captures. Nothing runs until Start.
func New(cfg Config) *Captures { return &Captures{cfg: cfg, open: map[*Capture]bool{}} }

// Taps takes what the phone's sockets see.
func (c *Captures) Taps() *Taps { return &c.taps }

// Ports takes the ports of the phone's sockets as they come and go.
func (c *Captures) Ports() *Ports { return &c.ports }

// KeepOwn says whether captures, those too that are open, keep the packets of
// the phone's own ports alone from now on, or all that tcpdump sees.
func (c *Captures) KeepOwn(only bool) { c.ownOnly.Store(only) }

// ErrClosed is returned for a capture that is started after Close.
var ErrClosed = errors.New("the phone is shutting down and captures nothing more")

// Reports is told how a capture fares. Each may be called from the capture's
// goroutine only, and must not block nor call Close of Captures.
type Reports struct {
	// Opened is called when the file is there. why says what kept tcpdump
	// from it when the mode is Own.
	Opened func(mode Mode, why string)
	// Failed is called at most once, when no more can be written; what was
	// written stays. Closed follows.
	Failed func(error)
	// Closed is called once, last.
	Closed func(Result)
}

// Result is what a capture left.
type Result struct {
	Path    string // "" when there never was a file
	Mode    Mode
	Bytes   int64 // size of the file
	Dropped int64 // packets that could not be kept up with
}

// Start begins to watch, without a file yet: that is for Open. A capture that
// is started ahead misses nothing while tcpdump starts.
func (c *Captures) Start(r Reports) (*Capture, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	p := &Capture{
		owner:   c,
		reports: r,
		feed:    c.taps.attach(),
		orders:  make(chan order, 1),
		later:   make(chan time.Duration, 1),
		now:     make(chan struct{}),
	}
	c.open[p] = true
	c.running.Go(func() {
		p.run()
		c.mu.Lock()
		delete(c.open, p)
		c.mu.Unlock()
	})
	return p, nil
}

// Close stops every capture at once and returns when their goroutines and
// processes have ended.
func (c *Captures) Close() {
	c.mu.Lock()
	c.closed = true
	for p := range c.open {
		p.Stop(0)
	}
	c.mu.Unlock()
	c.running.Wait()
}
