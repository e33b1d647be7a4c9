package mcpserver

import (
	"errors"
	"io"
	"sync"
)

// outboxBound is how many bytes may wait for a client that does not read. A
// client so far behind is not coming back.
const outboxBound = 64 << 20

// ErrStalled ends the session of a client that does not read its answers.
var ErrStalled = errors.New("the client has stopped reading: 64 MiB of answers wait for it")

// outbox is the queue before stdout: put never waits, and the one goroutine
// that runs write is the only one that waits for the client.
type outbox struct {
	mu      sync.Mutex
	lines   [][]byte
	size    int
	closed  bool
	wake    chan struct{} // has room for one: something has changed
	written chan struct{} // closed when write has returned
}

func newOutbox() *outbox {
	return &outbox{wake: make(chan struct{}, 1), written: make(chan struct{})}
}

// put queues one line. After close it is dropped.
func (o *outbox) put(line []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	if o.size+len(line) > outboxBound {
		return ErrStalled
	}
	o.lines = append(o.lines, line)
	o.size += len(line)
	o.signal()
	return nil
}

// close lets write return once it has written what is queued.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// write writes line by line until close; its error means that the client is
// gone.
func (o *outbox) write(w io.Writer) error {
	defer close(o.written)
	for range o.wake {
		lines, last := o.take()
		for _, line := range lines {
			if _, err := w.Write(line); err != nil {
				return err
			}
			o.done(len(line))
		}
		if last {
			break
		}
	}
	return nil
}

func (o *outbox) take() (lines [][]byte, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines, o.lines = o.lines, nil
	return lines, o.closed
}

func (o *outbox) done(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.size -= n
}
