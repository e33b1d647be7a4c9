package recorder

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ringmaster/proto/artifact"
	"ringmaster/worker/ring"
	"ringmaster/worker/wav"
)

// queueSeconds is how long a disk may stall before samples are replaced by
// silence.
const queueSeconds = 4

// Segment is one recording that is being written. Write belongs to one
// goroutine, the clock's; the other methods may be called from any.
type Segment struct {
	recorder *Recorder
	path     string
	rate     int
	failed   func(error)
	ring     *ring.Ring

	missing int // of the clock: samples that found no room and become silence

	// Of the recorder's goroutine.
	file   *wav.Writer
	buffer [1024]int16
	err    error

	size    atomic.Int64
	closing atomic.Bool
	asked   sync.Once
	sidecar *artifact.Sidecar // set before closing
	result  Result            // valid when done is closed
	done    chan struct{}
}

// Result is what a closed segment left.
type Result struct {
	Path     string
	MetaPath string // "" when no sidecar was written
	Bytes    int64  // size of the file
	Duration time.Duration
}

// Path is where the file lies.
func (s *Segment) Path() string { return s.path }

// Rate is the file's sample rate in Hz.
func (s *Segment) Rate() int { return s.rate }

// Size is how many bytes have been written so far, with the header.
func (s *Segment) Size() int64 { return s.size.Load() }

// Write adds samples. It never waits and does not allocate. While the disk is
// too slow, samples are left out and silence of the same length is written
// later, so that the recording keeps its time.
func (s *Segment) Write(pcm []int16) {
	for s.missing > 0 && s.ring.Room() > 0 {
		s.missing -= s.ring.Write(silence[:min(s.missing, len(silence))])
	}
	if s.missing > 0 || s.ring.Room() < len(pcm) {
		s.missing += len(pcm)
		return
	}
	s.ring.Write(pcm)
	if s.ring.Len() >= s.rate/10 {
		s.recorder.poke()
	}
}

var silence [320]int16 //nolint:gochecknoglobals // only read

// Close ends the segment: what was written before is in the file when it
// returns, and so is the sidecar, if one is given, beside it. A second Close
// returns the same.
func (s *Segment) Close(sidecar *artifact.Sidecar) (Result, error) {
	s.asked.Do(func() {
		s.sidecar = sidecar
		s.closing.Store(true)
		s.recorder.poke()
	})
	<-s.done
	return s.result, s.err
}

// flush writes what waits.
func (s *Segment) flush() {
	for {
		n := s.ring.Read(s.buffer[:])
		if n == 0 {
			return
		}
		if s.err != nil {
			continue
		}
		if err := s.file.Append(s.buffer[:n]); err != nil {
			s.err = fmt.Errorf("the recording %q ends early: %w", s.path, err)
			if s.failed != nil {
				s.failed(s.err)
			}
		}
		s.size.Store(s.file.Size())
	}
}

// finish closes the file and writes the sidecar.
func (s *Segment) finish() {
	if err := s.file.Close(); err != nil && s.err == nil {
		s.err = err
	}
	s.result = Result{
		Path:     s.path,
		Bytes:    s.file.Size(),
		Duration: time.Duration(s.file.Samples()) * time.Second / time.Duration(s.rate),
	}
	if s.sidecar == nil {
		return
	}
	meta := artifact.SidecarPath(s.path)
	if err := s.sidecar.Write(meta); err != nil {
		if s.err == nil {
			s.err = err
		}
		return
	}
	s.result.MetaPath = meta
}
