// Package recorder writes a phone's recordings behind its calls' backs: the
// clock leaves samples in a queue, and one goroutine per phone writes them.
//
//	clock ──Segment.Write──► ring ──► goroutine ──► WAV file, sidecar
//
// The file holds everything that is older than a tenth of a second at any
// moment, so that a kill loses less than 0.2 s.
package recorder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"ringmaster/worker/ring"
	"ringmaster/worker/wav"
)

// Recorder owns the goroutine, which runs while a segment is open. Its methods
// may be called from any goroutine.
type Recorder struct {
	wake chan struct{} // capacity 1: waking twice is waking once

	mu      sync.Mutex
	open    []*Segment
	running bool
	closed  bool
	ended   sync.WaitGroup
}

// New makes a recorder.
func New() *Recorder { return &Recorder{wake: make(chan struct{}, 1)} }

// ErrClosed is returned for a recording that is started after Close.
var ErrClosed = errors.New("the phone is shutting down and records nothing more")

// RateFor is the rate of a call's recordings: 8000 Hz when its first codec is
// narrowband, else 16000. A file keeps its rate when the codec changes.
func RateFor(codecRate int) int {
	if codecRate <= 8000 {
		return 8000
	}
	return 16000
}

// Start creates the file at path, with its folder, and begins a segment of mono
// samples at rate Hz. failed is called at most once, on the recorder's
// goroutine, when writing fails later; the segment then holds what it held.
func (r *Recorder) Start(path string, rate int, failed func(error)) (*Segment, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("the folder of the recording cannot be made: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	w, err := wav.Create(path, rate)
	if err != nil {
		return nil, err
	}
	s := &Segment{
		recorder: r,
		path:     path,
		rate:     rate,
		failed:   failed,
		ring:     ring.New(queueSeconds * rate),
		file:     w,
		done:     make(chan struct{}),
	}
	s.size.Store(w.Size())
	r.open = append(r.open, s)
	if !r.running {
		r.running = true
		r.ended.Add(1)
		go r.run()
	}
	return s, nil
}

// Close closes every segment that is open, without a sidecar, and returns when
// the goroutine has ended.
func (r *Recorder) Close() {
	r.mu.Lock()
	r.closed = true
	open := append([]*Segment(nil), r.open...)
	r.mu.Unlock()
	for _, s := range open {
		_, _ = s.Close(nil) // a failure was told to the segment's owner
	}
	r.ended.Wait()
}

func (r *Recorder) run() {
	defer r.ended.Done()
	for range r.wake {
		r.mu.Lock()
		open := append([]*Segment(nil), r.open...)
		r.mu.Unlock()
		for _, s := range open {
			closing := s.closing.Load() // before the flush, which then finds all there is
			s.flush()
			if closing {
				s.finish()
				r.forget(s)
			}
		}
		if r.idle() {
			return
		}
	}
}

// idle ends the goroutine when no segment is open: the next Start begins
// another.
func (r *Recorder) idle() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.open) > 0 {
		return false
	}
	r.running = false
	return true
}

func (r *Recorder) forget(s *Segment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, o := range r.open {
		if o == s {
			r.open = append(r.open[:i:i], r.open[i+1:]...)
			break
		}
	}
	close(s.done)
}

func (r *Recorder) poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
