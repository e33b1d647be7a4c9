package interop

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// relay passes TCP connections on to another address, and can cut them.
type relay struct {
	addr string // where it listens, host:port

	mu    sync.Mutex
	ended bool
	conns []net.Conn
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{addr: l.Addr().String()}
	var running sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		r.end()
		running.Wait()
	})
	running.Go(func() {
		for {
			near, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			far, err := net.Dial("tcp4", to)
			if err != nil {
				near.Close()
				continue
			}
			r.keep(near, far)
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				running.Go(func() {
					_, _ = io.Copy(way[0], way[1]) // until one of them ends, or cut
					way[0].Close()
				})
			}
		}
	})
	return r
}

func (r *relay) keep(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, conns...)
	if r.ended {
		r.cutAll()
	}
}

// end is cut, for what is still to come too.
func (r *relay) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.cutAll()
}

// cut ends every connection; new ones are passed on as before.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cutAll()
}

func (r *relay) cutAll() {
	for _, c := range r.conns {
		c.Close()
	}
	r.conns = nil
}
