// Package ring is a bounded queue of samples between one writer and one reader
// that never wait for each other.
package ring

import "sync/atomic"

// Ring holds up to its capacity of samples. One goroutine may write and another
// read at the same time, without a lock: the phone's clock is one of them.
type Ring struct {
	samples []int16
	read    atomic.Uint64 // how many have been read in all; the reader's
	written atomic.Uint64 // how many have been written in all; the writer's
}

// New makes a ring for capacity samples.
func New(capacity int) *Ring { return &Ring{samples: make([]int16, capacity)} }

// Len is how many samples wait.
func (r *Ring) Len() int { return int(r.written.Load() - r.read.Load()) }

// Room is how many samples can be written now.
func (r *Ring) Room() int { return len(r.samples) - r.Len() }

// Write adds samples as far as there is room and returns how many it took.
func (r *Ring) Write(pcm []int16) int {
	n := min(len(pcm), r.Room())
	at := int(r.written.Load() % uint64(len(r.samples)))
	first := copy(r.samples[at:], pcm[:n])
	copy(r.samples, pcm[first:n])
	r.written.Add(uint64(n))
	return n
}

// Read takes up to len(dst) samples and returns how many there were.
func (r *Ring) Read(dst []int16) int {
	n := min(len(dst), r.Len())
	at := int(r.read.Load() % uint64(len(r.samples)))
	first := copy(dst[:n], r.samples[at:])
	copy(dst[first:n], r.samples)
	r.read.Add(uint64(n))
	return n
}
