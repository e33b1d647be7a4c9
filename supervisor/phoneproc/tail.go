package phoneproc

import (
	"bytes"
	"sync"
)

// Bounds of what is kept of a worker's standard error.
const (
	tailLines    = 20
	tailLineSize = 400 // bytes
)

// tail keeps the last lines that were written to it. From a panic on it keeps
// the first ones instead: the stack traces that follow tell less than the
// message.
type tail struct {
	mu      sync.Mutex
	lines   []string
	partial []byte
	panics  bool
}

func (t *tail) write(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(p) > 0 {
		line, rest, complete := bytes.Cut(p, []byte("\n"))
		t.partial = append(t.partial, line[:min(len(line), tailLineSize-len(t.partial))]...)
		if complete {
			t.endLine()
		}
		p = rest
	}
}

func (t *tail) endLine() {
	line := string(bytes.ToValidUTF8(t.partial, []byte("?")))
	t.partial = t.partial[:0]
	switch {
	case !t.panics && isPanic(line):
		t.panics, t.lines = true, []string{line}
	case len(t.lines) < tailLines:
		t.lines = append(t.lines, line)
	case !t.panics:
		t.lines = append(t.lines[1:], line)
	}
}

// snapshot returns the lines so far, an unfinished one included.
func (t *tail) snapshot() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.partial) > 0 {
		t.endLine()
	}
	return append([]string(nil), t.lines...)
}
